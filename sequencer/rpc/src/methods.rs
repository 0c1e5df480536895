//! The table of methods, and on which thread each of them runs.

use std::collections::BTreeSet;

use alloy_primitives::map::HashSet;
use futures::future::BoxFuture;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::scan::Scan;
use crate::{Args, Backend, RpcError};

/// Methods by name. A name is `namespace_method`.
///
/// | kind | runs on | for |
/// |---|---|---|
/// | [`quick`](Self::quick) | the reactor | answers from memory, microseconds |
/// | [`cached`](Self::cached) | the reactor, else the reading pool | whatever memory often holds |
/// | [`reading`](Self::reading) | the reading pool | whatever may touch the disk |
/// | `scanning` | the scanning pool, with a time limit | whatever reads many blocks |
/// | [`executing`](Self::executing) | the execution pool | whatever runs the EVM |
/// | [`waiting`](Self::waiting) | the reactor, asynchronously | methods that wait for others |
///
/// Results are serialised on the thread that computed them. `at_most` is the number of parameters
/// that a method takes; more are refused as geth refuses them.
#[derive(Debug)]
pub struct Methods {
    module: RpcModule<Backend>,
    namespaces: Option<HashSet<String>>,
}

/// What a handler gives to the server.
type Answer = Result<Box<RawValue>, ErrorObjectOwned>;

impl Methods {
    /// An empty table. With `namespaces`, methods of any other are left out.
    pub fn new(backend: Backend, namespaces: Option<HashSet<String>>) -> Self {
        Self { module: RpcModule::new(backend), namespaces }
    }

    /// A method that answers from memory.
    pub fn quick<R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        at_most: usize,
        method: fn(&Backend, &Args) -> Result<R, RpcError>,
    ) {
        if !self.serves(name) {
            return;
        }
        let registered = self.module.register_method(name, move |params, backend, _| -> Answer {
            let args = Args::parse(params.as_str(), at_most)?;
            Ok(answer(method(backend, &args))?)
        });
        registered.expect("each method is registered once");
    }

    /// A method that may read from the disk.
    pub fn reading<R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        at_most: usize,
        method: fn(&Backend, &Args) -> Result<R, RpcError>,
    ) {
        self.waiting(name, at_most, move |backend, args| {
            Box::pin(async move {
                let work = backend.clone();
                backend.read(move || answer(method(&work, &args))).await
            })
        });
    }

    /// A method that may read from the disk, but not where `memory` has the answer: then nothing
    /// waits for a thread.
    pub fn cached<R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        at_most: usize,
        memory: fn(&Backend, &Args) -> Result<Option<R>, RpcError>,
        method: fn(&Backend, &Args) -> Result<R, RpcError>,
    ) {
        self.waiting(name, at_most, move |backend, args| {
            Box::pin(async move {
                if let Some(found) = memory(&backend, &args)? {
                    return answer(Ok(found));
                }
                let work = backend.clone();
                backend.read(move || answer(method(&work, &args))).await
            })
        });
    }

    /// A method that reads many blocks, and looks at its time and its caller for each.
    pub(crate) fn scanning<R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        at_most: usize,
        method: fn(&Backend, &Args, &Scan) -> Result<R, RpcError>,
    ) {
        self.waiting(name, at_most, move |backend, args| {
            Box::pin(async move {
                let (scan, _guard) = Scan::new(backend.config.methods.scan_timeout);
                let work = backend.clone();
                backend.scan(move || answer(method(&work, &args, &scan))).await
            })
        });
    }

    /// A method that runs the EVM.
    pub fn executing<R: Serialize + 'static>(
        &mut self,
        name: &'static str,
        at_most: usize,
        method: fn(&Backend, &Args) -> Result<R, RpcError>,
    ) {
        self.waiting(name, at_most, move |backend, args| {
            Box::pin(async move {
                let work = backend.clone();
                backend.execute(move || answer(method(&work, &args))).await
            })
        });
    }

    /// A method that waits without holding a thread.
    pub fn waiting<F>(&mut self, name: &'static str, at_most: usize, method: F)
    where
        F: Fn(Backend, Args) -> BoxFuture<'static, Result<Box<RawValue>, RpcError>>
            + Clone
            + Send
            + Sync
            + 'static,
    {
        if !self.serves(name) {
            return;
        }
        let registered = self.module.register_async_method(
            name,
            move |params, backend, _| -> BoxFuture<'static, Answer> {
                match Args::parse(params.as_str(), at_most) {
                    Ok(args) => {
                        let work = method((*backend).clone(), args);
                        Box::pin(async move { Ok(work.await?) })
                    }
                    Err(error) => Box::pin(std::future::ready(Err(error.into()))),
                }
            },
        );
        registered.expect("each method is registered once");
    }

    /// The table for the server; subscriptions are added to it directly.
    pub(crate) const fn module_mut(&mut self) -> &mut RpcModule<Backend> {
        &mut self.module
    }

    /// Whether the namespace of a method is served.
    pub(crate) fn serves(&self, name: &str) -> bool {
        let namespace = name.split('_').next().unwrap_or(name);
        self.namespaces.as_ref().is_none_or(|served| served.contains(namespace))
    }

    /// Namespaces that hold a method, ascending.
    pub(crate) fn served_namespaces(&self) -> BTreeSet<String> {
        let names = self.module.method_names();
        names.filter_map(|name| name.split('_').next()).map(Into::into).collect()
    }

    pub(crate) fn into_module(self) -> RpcModule<Backend> {
        self.module
    }
}

/// Serialises a result where it was computed.
pub fn answer<R: Serialize>(result: Result<R, RpcError>) -> Result<Box<RawValue>, RpcError> {
    to_raw_value(&result?).map_err(RpcError::internal)
}
