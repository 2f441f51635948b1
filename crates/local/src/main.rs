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
    console::welcome(&cloud);

    stop_signal().await;
    println!("stopping");
    tokio::select! {
        () = cloud.shutdown() => ExitCode::SUCCESS,
        // Who asks twice does not want to wait.
        () = stop_signal() => ExitCode::FAILURE,
    }
}

/// Ctrl-C, or what `kill` sends.
async fn stop_signal() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}
