//! Which web pages may open a WebSocket (go-ethereum `rpc/websocket.go`).
//!
//! Browsers ask nobody before they open one to another site, so the server has to refuse; CORS
//! headers do not count there.

use http::{HeaderMap, header};

/// Origins that a port upgrades connections for.
#[derive(Debug)]
pub(super) struct AllowedOrigins {
    /// `None` allows all.
    rules: Option<Vec<Origin>>,
}

/// An origin, or a rule for origins, where what is empty is not compared.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: String,
}

impl AllowedOrigins {
    /// No origins at all allow pages of this machine, as in geth.
    pub(super) fn new(origins: &[String]) -> Self {
        if origins.iter().any(|origin| origin == "*") {
            return Self { rules: None };
        }
        let mut rules: Vec<Origin> = origins.iter().map(|origin| Origin::parse(origin)).collect();
        if rules.is_empty() {
            rules.push(Origin::parse("http://localhost"));
        }
        Self { rules: Some(rules) }
    }

    /// Whether a connection with those headers is upgraded. Programs send no origin and pass.
    pub(super) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(rules) = &self.rules else { return true };
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Ok(origin) = origin.to_str() else { return false };
        let origin = Origin::parse(origin);
        rules.iter().any(|rule| rule.covers(&origin))
    }
}

impl Origin {
    fn parse(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let (scheme, authority) = text.split_once("://").unwrap_or(("", &text));
        let authority = authority.split('/').next().unwrap_or(authority);
        // The colons of an IPv6 address stand within brackets.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority, ""),
        };
        Self { scheme: scheme.into(), host: host.into(), port: port.into() }
    }

    fn covers(&self, origin: &Self) -> bool {
        let fits = |rule: &str, given: &str| rule.is_empty() || rule == given;
        fits(&self.scheme, &origin.scheme)
            && fits(&self.host, &origin.host)
            && fits(&self.port, &origin.port)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn allows(rules: &[&str], origin: &'static str) -> bool {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
        AllowedOrigins::new(&rules).allows(&headers)
    }

    #[test]
    fn an_origin_is_compared_with_what_a_rule_names() {
        assert!(allows(&["https://dapp.example"], "https://dapp.example"));
        assert!(allows(&["https://dapp.example"], "https://DAPP.example:8080"), "any port");
        assert!(!allows(&["https://dapp.example"], "http://dapp.example"));
        assert!(!allows(&["https://dapp.example"], "https://dapp.example.evil"));
        assert!(!allows(&["http://dapp.example:80"], "http://dapp.example:81"));
        assert!(allows(&["dapp.example"], "http://dapp.example"), "any scheme");
        assert!(allows(&["http://[::1]"], "http://[::1]:3000"));
        assert!(allows(&["*"], "https://evil.example"));
        assert!(!allows(&["https://dapp.example"], "null"), "a page without origin");
    }

    #[test]
    fn without_rules_pages_of_this_machine_and_programs_pass() {
        assert!(allows(&[], "http://localhost:3000"));
        assert!(!allows(&[], "https://evil.example"));
        assert!(AllowedOrigins::new(&[]).allows(&HeaderMap::new()));
    }
}
