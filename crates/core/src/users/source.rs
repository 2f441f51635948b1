use std::fmt;
use std::net::IpAddr;

/// Where a log-in comes from, as far as it tells one person from another: an IPv4 address, or the first 64
/// bits of an IPv6 address, of which a network hands out the rest freely (RFC 4291, section 2.5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source(String);

impl Source {
    /// The source at this address. `None` for the loopback address: whatever runs on one machine may be
    /// anybody.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(Self(match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}")
            }
        }))
    }

    /// The source as text, as in keys.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Option<String> {
        Source::of(address.parse().unwrap()).map(|source| source.to_string())
    }

    #[test]
    fn an_address_is_a_source_and_an_ipv6_network_is_one() {
        assert_eq!(source("203.0.113.7").as_deref(), Some("203.0.113.7"));
        assert_eq!(source("::ffff:203.0.113.7"), source("203.0.113.7"), "mapped into IPv6");
        let network = source("2001:db8:1:2::1");
        assert_eq!(network.as_deref(), Some("2001:db8:1:2"));
        assert_eq!(source("2001:db8:1:2:ffff:ffff:ffff:ffff"), network);
        assert_ne!(source("2001:db8:1:3::1"), network);
    }

    #[test]
    fn the_loopback_address_is_nobodys() {
        for address in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(source(address), None, "{address}");
        }
    }
}
