//! Who may use what has no authentication: `/_local` and DynamoDB's API.
//!
//! So that a web page that somebody visits meanwhile cannot use it, it answers only requests that name
//! this machine as their host, and that no other site's page sent.

use std::net::IpAddr;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;

use crate::local_api::refusal;

/// Names that nobody else can make browsers resolve to this machine: public DNS has neither.
const OWN_NAMES: [&str; 2] = ["localhost", "host.docker.internal"];

#[derive(Clone, Copy)]
struct Guard {
    what: &'static str,
    listen: IpAddr,
}

/// Puts these routes and their fallback behind the check of their callers. `what` names them in
/// refusals, and `listen` is the address that the local cloud listens on.
pub(crate) fn own_machine_only(routes: Router, what: &'static str, listen: IpAddr) -> Router {
    routes.layer(middleware::from_fn_with_state(Guard { what, listen }, check))
}

async fn check(
    State(Guard { what, listen }): State<Guard>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let Some(host) = host(headers).filter(|host| is_own(host, listen)) else {
        return forbidden(&format!(
            "{what} answers only to localhost and to the address that the local cloud listens on"
        ));
    };
    if !headers.get_all(header::ORIGIN).iter().all(|origin| {
        origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&format!("http://{host}")))
    }) {
        return forbidden(&format!("{what} does not answer pages of other sites"));
    }
    next.run(request).await
}

/// Returns an answer without CORS headers, so that the page cannot even read it.
fn forbidden(message: &str) -> Response {
    refusal(StatusCode::FORBIDDEN, message)
}

/// Returns the host and port that a request names.
fn host(headers: &HeaderMap) -> Option<Authority> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().filter(|_| hosts.next().is_none())?;
    host.to_str().ok()?.parse().ok()
}

/// Whether a host is this machine, as seen from it or, if the local cloud listens on all addresses,
/// from others. An address cannot be another site's name, so any may be this machine's then.
fn is_own(host: &Authority, listen: IpAddr) -> bool {
    let host = host.host();
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match address.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || address == listen || listen.is_unspecified(),
        Err(_) => {
            OWN_NAMES.iter().any(|name| host.eq_ignore_ascii_case(name))
                || host.to_ascii_lowercase().ends_with(".localhost")
        }
    }
}

#[cfg(test)]
mod tests {
    fn is_own(host: &str, listen: &str) -> bool {
        super::is_own(&host.parse().unwrap(), listen.parse().unwrap())
    }

    #[test]
    fn the_host_of_a_request_must_be_this_machine() {
        let loopback = ["127.0.0.1:3000", "127.8.8.8", "[::1]:3000", "localhost:3000", "LOCALHOST"];
        for host in loopback.into_iter().chain(["shop.localhost", "host.docker.internal:3000"]) {
            assert!(is_own(host, "127.0.0.1"), "{host}");
        }
        for host in ["shop.example", "localhost.shop.example", "notlocalhost", "10.0.0.7:3000"] {
            assert!(!is_own(host, "127.0.0.1"), "{host}");
        }
        assert!(is_own("10.0.0.7:3000", "10.0.0.7"));
        assert!(is_own("172.17.0.1:3000", "0.0.0.0"));
        assert!(!is_own("shop.example:3000", "0.0.0.0"));
    }
}
