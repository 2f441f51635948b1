//! The one door to what this repository can do. `cargo xtask` lists it.

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
        eprintln!("there is no command {}; `cargo xtask` lists them", arguments[0]);
        return ExitCode::from(2);
    };
    if command.name == commands::RENAME {
        return rename::run(rest);
    }
    run::lines(command.lines, rest).into()
}
