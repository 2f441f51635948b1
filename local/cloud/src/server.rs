//! An HTTP server that can be stopped.

use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Serves HTTP until it is shut down or dropped.
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async {
            // A dropped sender stops it, too.
            let _ = stopped.await;
        });
        Self { stop, task: tokio::spawn(server.into_future()) }
    }

    /// Stops after the requests in flight have been answered.
    pub(crate) async fn shutdown(self) {
        // Fails only if it has already stopped.
        let _ = self.stop.send(());
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!("a server failed: {error}"),
            Err(panic) => tracing::error!("a server failed: {panic}"),
        }
    }
}
