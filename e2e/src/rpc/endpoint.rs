//! The address of a JSON-RPC server.

use std::fmt;
use std::str::FromStr;

use eyre::{bail, eyre};

/// `http://host[:port][/path]`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host as it goes into the `Host` header, without the port.
    host: String,
    port: u16,
    path: String,
}

impl Endpoint {
    /// Host and port, as `TcpStream::connect` and the `Host` header take them.
    #[must_use]
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Path and query of the request line; never empty.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FromStr for Endpoint {
    type Err = eyre::Report;

    fn from_str(url: &str) -> eyre::Result<Self> {
        let Some(rest) = url.strip_prefix("http://") else {
            bail!("{url}: only http:// addresses are supported");
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None => (rest, "/"),
        };
        if authority.contains('@') {
            bail!("credentials in an address are not supported");
        }
        // A colon inside the brackets of an IPv6 address separates no port.
        let after_bracket = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match authority[after_bracket..].rfind(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(after_bracket + colon);
                let port = port[1..].parse().map_err(|_| eyre!("{url}: bad port"))?;
                (host, port)
            }
            None => (authority, 80),
        };
        if host.is_empty() || url.contains(char::is_whitespace) {
            bail!("{url:?} is not an address");
        }
        Ok(Self { host: host.to_owned(), port, path: path.to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, String) {
        let endpoint: Endpoint = url.parse().expect("a good address");
        (endpoint.authority(), endpoint.path().to_owned())
    }

    #[test]
    fn takes_addresses_with_and_without_port_and_path() {
        let cases = [
            ("http://localhost", "localhost:80", "/"),
            ("http://127.0.0.1:8545", "127.0.0.1:8545", "/"),
            ("http://node:1/rpc/v1?x=y", "node:1", "/rpc/v1?x=y"),
            ("http://[::1]:9", "[::1]:9", "/"),
            ("http://[::1]/a:b", "[::1]:80", "/a:b"),
        ];
        for (url, authority, path) in cases {
            assert_eq!(parsed(url), (authority.to_owned(), path.to_owned()), "{url}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_reach_or_must_not_carry() {
        for url in [
            "https://a",
            "ws://a",
            "a:1",
            "http://",
            "http://:80",
            "http://a:x",
            "http://u:p@a",
            "http://a/ b\r\nX: y",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
