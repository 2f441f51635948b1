//! Starts the local cloud.

use std::num::NonZero;
use std::process::ExitCode;
use std::thread;

use clap::Parser as _;
use mimalloc::MiMalloc;
use storefront_cloud::cli::Args;
use storefront_cloud::{LocalCloud, Options, console};

/// Releases the memory of password hashing, 19 MiB each time. The C library's allocator keeps several times as
/// much for every thread that has ever hashed: half a gigabyte after some minutes of use.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let options = Options::from(Args::parse());
    console::init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(blocking_threads())
        .build();
    runtime.expect("threads can be started").block_on(run(options))
}

/// Returns the number of threads for blocking work: hashing passwords, and waiting for the disk.
///
/// Tokio's default limit is 512. More threads would not finish log-ins sooner, because hashing keeps a
/// core busy.
fn blocking_threads() -> usize {
    // Two more than can hash at once, so that disk access does not wait for passwords.
    thread::available_parallelism().map_or(1, NonZero::get) + 2
}

async fn run(options: Options) -> ExitCode {
    let cloud = match LocalCloud::start(options).await {
        Ok(cloud) => cloud,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Before the welcome message: from then on, people may stop it.
    let mut stop_signals = StopSignals::listen().expect("signals can be listened for");
    console::welcome(&cloud);

    stop_signals.next().await;
    println!("stopping");
    tokio::select! {
        () = cloud.shutdown() => ExitCode::SUCCESS,
        // A second signal means: do not wait.
        () = stop_signals.next() => ExitCode::FAILURE,
    }
}

/// Ctrl-C, and the signal that `kill` sends.
#[cfg(unix)]
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl StopSignals {
    /// Starts listening. From then on, a signal no longer ends the process by itself.
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
    /// Starts listening. From then on, a signal no longer ends the process by itself.
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        let _ = self.0.recv().await;
    }
}
