//! Runs the repository's commands. `cargo xtask` lists them.

mod commands;
mod rename;
mod run;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        None | Some("help" | "--help" | "-h") => {
            print!("{}", commands::list());
            return ExitCode::SUCCESS;
        }
        Some(_) => {}
    }
    let Some((command, rest)) = commands::find(&arguments) else {
        eprintln!("unknown command {}; `cargo xtask` lists all commands", arguments[0]);
        return ExitCode::from(2);
    };
    // A command whose programs have options of their own refers to their help.
    let asks_for_help = rest.iter().any(|argument| argument == "--help" || argument == "-h");
    if asks_for_help && !command.help.contains("--help") {
        print!("{}", command.description());
        return ExitCode::SUCCESS;
    }
    if command.name == commands::RENAME {
        return rename::run(rest);
    }
    run::lines(command.lines, rest).into()
}
