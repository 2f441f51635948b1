//! Starts the local cloud.

use std::process::ExitCode;

use clap::Parser as _;
use storefront_local::cli::Args;
use storefront_local::{LocalCloud, Options, console};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::from(Args::parse());
    console::init();

    let cloud = match LocalCloud::start(options).await {
        Ok(cloud) => cloud,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Before anybody is told that it runs, and may stop it.
    let mut stop_signals = StopSignals::listen().expect("signals can be listened for");
    console::welcome(&cloud);

    stop_signals.next().await;
    println!("stopping");
    tokio::select! {
        () = cloud.shutdown() => ExitCode::SUCCESS,
        // Who asks twice does not want to wait.
        () = stop_signals.next() => ExitCode::FAILURE,
    }
}

/// Ctrl-C, or what `kill` sends.
#[cfg(unix)]
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    /// From here on a signal no longer ends the process by itself.
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(windows)]
struct StopSignals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl StopSignals {
    /// From here on a signal no longer ends the process by itself.
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}
