//! A load cut into connections and requests, as bytes ready to be sent.

use std::io::Write;

use alloy::hex;
use clap::ValueEnum;
use rayon::prelude::*;
use serde::Serialize;

use super::signing::Signed;
use crate::rpc::websocket::text_frame;
use crate::rpc::{Endpoint, post_request};

/// One HTTP request with `count` transactions.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) bytes: Vec<u8>,
    pub(super) count: u64,
    /// Place of its first transaction in the whole load, for pacing.
    pub(super) number: u64,
}

/// The requests of one connection, in order.
pub(super) type Lane = Vec<Request>;

/// What carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// One POST after the other on each connection.
    Http,
    /// Messages on a WebSocket, sent without waiting for answers.
    Ws,
}

/// How a load is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) transport: Transport,
    pub(super) senders: usize,
    pub(super) connections: usize,
    pub(super) batch: usize,
    pub(super) method: &'static str,
}

/// Cuts a load made by `sign_load`. A sender's transactions all go over one
/// connection, so its nonces arrive in order without waiting in the pool.
pub(super) fn cut(load: &[Signed], endpoint: &Endpoint, cut: Cut) -> Vec<Lane> {
    (0..cut.connections)
        .into_par_iter()
        .map(|lane| {
            let numbers =
                (0..load.len()).filter(|number| number % cut.senders % cut.connections == lane);
            let numbers: Vec<usize> = numbers.collect();
            let chunks = numbers.chunks(cut.batch).enumerate();
            chunks
                .map(|(place, chunk)| request(load, chunk, place * cut.batch, endpoint, cut))
                .collect()
        })
        .collect()
}

/// The ids of the calls count up within a lane, from `first_id` here.
fn request(
    load: &[Signed],
    numbers: &[usize],
    first_id: usize,
    endpoint: &Endpoint,
    cut: Cut,
) -> Request {
    let mut body = Vec::with_capacity(numbers.len() * 400);
    let batched = cut.batch > 1;
    if batched {
        body.push(b'[');
    }
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        write_call(&mut body, cut.method, first_id + place, &load[*number]);
    }
    if batched {
        body.push(b']');
    }
    let bytes = match cut.transport {
        Transport::Http => post_request(endpoint, &body),
        Transport::Ws => text_frame(&body),
    };
    Request { bytes, count: numbers.len() as u64, number: numbers[0] as u64 }
}

fn write_call(body: &mut Vec<u8>, method: &str, id: usize, signed: &Signed) {
    let raw = hex::encode(&signed.raw);
    write!(body, r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":["0x{raw}"]}}"#)
        .expect("a vector takes every byte");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::verify::Trace;
    use alloy_primitives::B256;
    use serde_json::Value;

    fn load(count: u8) -> Vec<Signed> {
        let signed =
            |n| Signed { hash: B256::repeat_byte(n), raw: vec![n].into(), trace: Trace::Inclusion };
        (0..count).map(signed).collect()
    }

    fn raws(request: &Request) -> Vec<String> {
        let start = memchr::memmem::find(&request.bytes, b"\r\n\r\n").expect("a head") + 4;
        let body: Value = serde_json::from_slice(&request.bytes[start..]).expect("JSON");
        let calls = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        calls.iter().map(|call| call["params"][0].as_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn a_sender_stays_on_one_connection_and_nothing_is_lost() {
        let endpoint = "http://a:1".parse().expect("an address");
        let transport = Transport::Http;
        let how = Cut { transport, senders: 3, connections: 2, batch: 4, method: "m" };
        let lanes = cut(&load(11), &endpoint, how);
        let first: Vec<String> = lanes[0].iter().flat_map(raws).collect();
        let second: Vec<String> = lanes[1].iter().flat_map(raws).collect();
        // Senders 0 and 2 go over the first connection, sender 1 over the second.
        assert_eq!(first.join(" "), "0x00 0x02 0x03 0x05 0x06 0x08 0x09");
        assert_eq!(second.join(" "), "0x01 0x04 0x07 0x0a");
        assert_eq!(lanes.iter().flatten().map(|request| request.count).sum::<u64>(), 11);
    }

    #[test]
    fn a_batch_of_one_is_a_plain_call() {
        let endpoint = "http://a:1".parse().expect("an address");
        let transport = Transport::Ws;
        let how = Cut { transport, senders: 1, connections: 1, batch: 1, method: "eth_x" };
        let lanes = cut(&load(2), &endpoint, how);
        let text = String::from_utf8_lossy(&lanes[0][1].bytes);
        assert!(text.ends_with(r#"{"jsonrpc":"2.0","id":1,"method":"eth_x","params":["0x01"]}"#));
        assert_eq!(lanes[0][1].number, 1);
    }
}
