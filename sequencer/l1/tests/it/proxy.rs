//! A proxy in front of anvil that injects faults into calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cairn_test_setup::{Act, Answer};
use serde_json::{Value, json};
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);

/// What the proxy does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Passes the answer on.
    None,
    /// Answers with an HTTP status and `Retry-After`.
    Status(u16, Option<String>),
    /// Answers with a JSON-RPC error.
    Error(i64, &'static str),
    /// Never answers.
    Stall,
    /// Breaks off in the middle of the answer.
    Truncate,
    /// Announces an answer of that many bytes and sends them.
    Long(usize),
    /// Answers with something else.
    Replace(Value),
}

impl Fault {
    fn act(self, call: &Value) -> Act {
        Act::Answer(match self {
            Self::None => return Act::Pass,
            Self::Stall => return Act::Stall,
            Self::Truncate => return Act::Truncate,
            Self::Status(status, retry_after) => Answer { retry_after, ..Answer::status(status) },
            Self::Error(code, message) => Answer::error(call, code, message),
            Self::Long(length) => Answer::ok(vec![b' '; length]),
            Self::Replace(result) if call.is_object() => {
                let answer = json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
                Answer::ok(answer.to_string())
            }
            Self::Replace(value) => Answer::ok(value.to_string()),
        })
    }
}

type Rule = Box<dyn FnMut(&str, &Value, &Value) -> Fault + Send>;

struct Shared {
    rule: Mutex<Rule>,
    calls: watch::Sender<Vec<String>>,
    /// A method that is not passed on, and what it is answered with.
    held: Mutex<Option<(&'static str, Fault)>>,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _proxy: cairn_test_setup::Proxy,
}

impl Proxy {
    pub(crate) async fn start(target: &str) -> Self {
        let shared = Arc::new(Shared {
            rule: Mutex::new(Box::new(|_, _, _| Fault::None)),
            calls: watch::channel(Vec::new()).0,
            held: Mutex::default(),
        });
        let proxy = cairn_test_setup::Proxy::start(target, 0).await.unwrap();
        let state = Arc::clone(&shared);
        proxy.set(move |passing| {
            let call = passing.call().unwrap_or_default();
            let name = call["method"].as_str().unwrap_or(&passing.path).to_owned();
            let held = state.held.lock().unwrap().clone().filter(|(held, _)| *held == name);
            if let Some((_, fault)) = held {
                state.calls.send_modify(|calls| calls.push(name));
                return fault.act(&call);
            }
            let state = Arc::clone(&state);
            Act::After(Box::new(move |_, given| {
                let json: Value = serde_json::from_slice(&given.body).unwrap_or_default();
                let result = if call.is_object() { &json["result"] } else { &json };
                state.calls.send_modify(|calls| calls.push(name.clone()));
                (state.rule.lock().unwrap())(&name, &call["params"], result).act(&call)
            }))
        });
        Self { url: proxy.url().to_owned(), shared, _proxy: proxy }
    }

    /// Decides from method (or path), parameters and the true result.
    pub(crate) fn rule(&self, rule: impl FnMut(&str, &Value, &Value) -> Fault + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// Methods and paths called so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.calls.borrow().clone()
    }

    /// Neither passes a method on nor answers it.
    pub(crate) fn hold(&self, method: &'static str) {
        self.hold_with(method, Fault::Stall);
    }

    /// Answers a method without passing it on.
    pub(crate) fn hold_with(&self, method: &'static str, fault: Fault) {
        *self.shared.held.lock().unwrap() = Some((method, fault));
    }

    /// Passes everything on again.
    pub(crate) fn release(&self) {
        *self.shared.held.lock().unwrap() = None;
    }

    /// Waits until a method was called, and answered by anvil if it was passed on.
    pub(crate) async fn called(&self, method: &str) {
        let mut calls = self.shared.calls.subscribe();
        let called = calls.wait_for(|calls| calls.iter().any(|call| call == method));
        tokio::time::timeout(PATIENCE, called).await.expect("it is called").unwrap();
    }
}
