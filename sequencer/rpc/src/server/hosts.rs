//! Which Host headers are served.
//!
//! A web page can make a browser resolve its own name to this node's address (DNS rebinding) and
//! is then of the same origin. Its requests still carry its name.

use std::net::IpAddr;

use http::{HeaderMap, header};

/// The names that a port answers to.
#[derive(Debug)]
pub(super) struct AllowedHosts {
    /// `None` allows all.
    names: Option<Vec<String>>,
}

impl AllowedHosts {
    pub(super) fn new(names: &[String]) -> Self {
        let all = names.is_empty() || names.iter().any(|name| name == "*");
        let names = (!all).then(|| names.iter().map(|name| name.to_ascii_lowercase()).collect());
        Self { names }
    }

    /// Whether a request with those headers is served. Addresses always are, and requests without
    /// the header, which no browser sends.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(names) = &self.names else { return true };
        let Some(host) = headers.get(header::HOST) else { return true };
        let Ok(host) = host.to_str() else { return false };
        let host = without_port(host);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if bare.parse::<IpAddr>().is_ok() {
            return true;
        }
        let host = host.to_ascii_lowercase();
        names.contains(&host)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // The last colon of a bracketless IPv6 address separates no port.
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.contains(':') => {
            name
        }
        Some((name, _)) if name.ends_with(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(names: &[&str], host: &str) -> bool {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        AllowedHosts::new(&names).allows(&headers)
    }

    #[test]
    fn names_outside_the_list_are_refused_and_addresses_pass() {
        assert!(allows(&["localhost"], "localhost:8545"));
        assert!(allows(&["localhost"], "LOCALHOST"));
        assert!(allows(&["localhost"], "127.0.0.1:8545"));
        assert!(allows(&["localhost"], "[::1]:8545"));
        assert!(allows(&["localhost"], "[::1]"));
        assert!(!allows(&["localhost"], "evil.example:8545"));
        assert!(!allows(&["localhost"], "localhost.evil.example"));
        assert!(allows(&["*"], "evil.example"));
        assert!(allows(&[], "evil.example"));
    }
}
