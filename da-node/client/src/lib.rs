//! The client of the DA network: hands payloads over for certificates, and gets them back.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use cairn_da_client::{ClientError, Disperser, Nodes, Retriever};
//! # use cairn_da_client::{collect::CollectPolicy, registry::Registry, retrieval::RetrievalPolicy};
//! # use cairn_primitives::da::{Epoch, Reservation, Timestamp};
//! # async fn example(
//! #     registry: Registry, payer: alloy::signers::local::PrivateKeySigner, now: u64,
//! # ) -> Result<(), ClientError> {
//! let quorum = registry.latest_quorum(Epoch(7)).await?.ok_or(ClientError::UnknownEpoch(Epoch(7)))?;
//! let nodes = Nodes::new()?;
//! let disperser =
//!     Disperser::new(nodes.clone(), registry.domain(), payer, CollectPolicy::default());
//! let (payload, expiry) = (vec![1, 2, 3], Timestamp(now + 86_400));
//! let done = disperser.disperse(&quorum, payload.into(), Reservation(1), expiry).await?;
//! let retriever = Retriever::new(nodes, RetrievalPolicy::default());
//! let payload = retriever.retrieve(&quorum, &done.certificate.header).await?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`Disperser`], [`Retriever`], [`verify_certificate`]: what users call
//! - [`collect`], [`retrieval`]: the state machines behind them, without I/O
//! - [`registry`]: the operators of an epoch, read from L1
//! - [`Commitments`]: rows checked against a header
//! - [`open_element`]: proofs that contracts on L1 accept

pub mod collect;
mod commitments;
mod disperse;
mod error;
mod matrix;
mod nodes;
mod opening;
mod range;
pub mod registry;
mod reservations;
pub mod retrieval;
mod retrieve;

pub use disperse::{Dispersed, Disperser};
pub use error::ClientError;
pub use matrix::Commitments;
pub use nodes::{HeaderAnswer, Nodes};
pub use opening::{ElementOpening, open_element};
pub use reservations::Reservations;
pub use retrieve::{Retriever, verify_certificate};
