//! Which part listens where.

use std::net::{Ipv4Addr, TcpListener};
use std::str::FromStr;

use cairn_test_setup::free_port;
use eyre::{WrapErr, ensure};
use serde::{Deserialize, Serialize};

/// The first port of a devnet that was not told another one: L2 is where Ethereum nodes are.
const FIRST: u16 = 8545;

/// How ports are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// Whatever is free, so that several devnets run side by side.
    Auto,
    /// One behind the other from this one on.
    From(u16),
}

impl Default for PortChoice {
    fn default() -> Self {
        Self::From(FIRST)
    }
}

impl FromStr for PortChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(0)) | (_, Err(_)) => Err(format!("{text} is neither `auto` nor a port")),
            (_, Ok(first)) => Ok(Self::From(first)),
        }
    }
}

/// The ports of one devnet, all on the loopback interface. A node has one for its users and one for
/// its metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Ports {
    pub(super) l2: u16,
    pub(super) verifier: u16,
    pub(super) gateway: u16,
    pub(super) l1: u16,
    pub(super) sequencer_admin: u16,
    pub(super) verifier_admin: u16,
    pub(super) sequencer_metrics: u16,
    pub(super) verifier_metrics: u16,
    pub(super) gateway_metrics: u16,
    pub(super) da: Vec<u16>,
    pub(super) da_metrics: Vec<u16>,
}

impl PortChoice {
    /// Ports for everything.
    ///
    /// # Errors
    /// When a port is taken or there are none left.
    pub(super) fn take(self, da_nodes: u16) -> eyre::Result<Ports> {
        match self {
            Self::Auto => Ports::fill(da_nodes, || Ok(free_port()?)),
            Self::From(first) => {
                let mut next = Some(first);
                Ports::fill(da_nodes, || {
                    let port = next.ok_or_else(|| eyre::eyre!("no ports above 65535"))?;
                    next = port.checked_add(1);
                    Ok(port)
                })
            }
        }
    }
}

impl Ports {
    fn fill(da_nodes: u16, mut next: impl FnMut() -> eyre::Result<u16>) -> eyre::Result<Self> {
        Ok(Self {
            l2: next()?,
            verifier: next()?,
            gateway: next()?,
            l1: next()?,
            sequencer_admin: next()?,
            verifier_admin: next()?,
            sequencer_metrics: next()?,
            verifier_metrics: next()?,
            gateway_metrics: next()?,
            da: (0..da_nodes).map(|_| next()).collect::<eyre::Result<_>>()?,
            da_metrics: (0..da_nodes).map(|_| next()).collect::<eyre::Result<_>>()?,
        })
    }

    fn all(&self) -> impl Iterator<Item = u16> {
        let single = [
            self.l2,
            self.verifier,
            self.gateway,
            self.l1,
            self.sequencer_admin,
            self.verifier_admin,
            self.sequencer_metrics,
            self.verifier_metrics,
            self.gateway_metrics,
        ];
        single.into_iter().chain(self.da.iter().copied()).chain(self.da_metrics.iter().copied())
    }

    /// Looks whether anybody else listens already, before anything is started.
    ///
    /// # Errors
    /// Names the first port that is taken.
    pub(super) fn check_free(&self) -> eyre::Result<()> {
        for port in self.all() {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).wrap_err_with(|| {
                format!("port {port} is taken; --fresh --ports auto takes free ones")
            })?;
        }
        let mut distinct: Vec<u16> = self.all().collect();
        distinct.sort_unstable();
        distinct.dedup();
        ensure!(distinct.len() == self.all().count(), "a port is used twice");
        Ok(())
    }
}

/// The URL of a port.
pub(super) fn http(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_a_row_from_the_first_or_any_free_ones() {
        let row = PortChoice::From(20_000).take(3).expect("there are as many");
        assert_eq!(row.all().collect::<Vec<_>>(), (20_000..20_015).collect::<Vec<_>>());
        let free = PortChoice::Auto.take(3).expect("free ones");
        free.check_free().expect("nobody listens");
    }

    #[test]
    fn a_taken_port_is_named() {
        let ports = PortChoice::Auto.take(1).expect("free ones");
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, ports.da[0])).expect("free");
        let error = ports.check_free().expect_err("it is taken");
        assert!(error.to_string().contains(&ports.da[0].to_string()), "{error}");
    }

    #[test]
    fn the_row_ends_with_the_last_port() {
        assert!(PortChoice::From(65_530).take(4).is_err(), "too high");
        assert_eq!("auto".parse(), Ok(PortChoice::Auto));
        assert_eq!("9000".parse(), Ok(PortChoice::From(9000)));
        for wrong in ["0", "65536", "-1", "any"] {
            assert!(wrong.parse::<PortChoice>().is_err(), "{wrong}");
        }
    }
}
