//! A running devnet.

use std::collections::BTreeMap;
use std::time::Duration;

use alloy_primitives::Address;
use eyre::{WrapErr, eyre};

use super::accounts::Accounts;
use super::contracts::{self, Deployed};
use super::da;
use super::data_dir::{DataDir, Lock, write_json};
use super::l1::{self, StateKeeper};
use super::manifest::{Contracts, L1Endpoints, L2Endpoints, Manifest, Rpc, Url};
use super::pid_file::{self, STOP_LIMIT};
use super::ports::http;
use super::progress::{Progress, count};
use super::rollup::{self, NodePorts, VERIFIER};
use super::service::{Running, Service};
use super::settings::{DevnetOptions, Settings};
use crate::rpc::RpcClient;

/// Time for one part to answer.
const READY_LIMIT: Duration = Duration::from_secs(120);

/// A devnet that runs. Dropping it kills every process that it started.
#[derive(Debug)]
pub struct Devnet {
    dir: DataDir,
    settings: Settings,
    /// In the order of their start.
    parts: Vec<Running>,
    l1_state: StateKeeper,
    manifest: Option<Manifest>,
    /// Whether parts are kept apart from the terminal's process group.
    apart: bool,
    _lock: Lock,
}

/// A part that ended by itself.
#[derive(Debug)]
pub struct Death {
    /// Which.
    pub name: String,
    /// How, and what it said last.
    pub report: String,
}

impl Devnet {
    /// Starts a devnet, new or as the data directory has it, and waits until every part answers.
    ///
    /// # Errors
    /// When a part does not come to answer, with its log; everything is stopped then.
    pub async fn start(options: &DevnetOptions, progress: &Progress) -> eyre::Result<Self> {
        Self::start_grouped(options, progress, false).await
    }

    /// As [`start`](Self::start), but a Ctrl-C on the terminal reaches this process alone.
    pub(super) async fn start_apart(
        options: &DevnetOptions,
        progress: &Progress,
    ) -> eyre::Result<Self> {
        Self::start_grouped(options, progress, true).await
    }

    async fn start_grouped(
        options: &DevnetOptions,
        progress: &Progress,
        apart: bool,
    ) -> eyre::Result<Self> {
        cairn_node_setup::install_tls();
        let dir = DataDir::new(&options.data_dir);
        let lock = dir.lock()?;
        let left = pid_file::stop_all(&dir).await?;
        if !left.is_empty() {
            progress.done(&format!("ended what an earlier run left: {}", left.join(", ")));
        }
        if options.fresh {
            dir.clear()?;
        }
        let (settings, resumes) = match dir.read_settings()? {
            Some(settings) => (settings.resumed(options)?, true),
            None => {
                dir.clear()?;
                (Settings::new(options)?, false)
            }
        };
        dir.create()?;
        settings.ports.check_free()?;
        let l1_state = StateKeeper::new(&dir);
        let mut devnet =
            Self { dir, settings, parts: Vec::new(), l1_state, manifest: None, apart, _lock: lock };
        devnet.bring_up(resumes, progress).await?;
        Ok(devnet)
    }

    async fn bring_up(&mut self, resumes: bool, progress: &Progress) -> eyre::Result<()> {
        let accounts = Accounts::derive(self.settings.da_nodes)?;
        if !resumes {
            accounts.write_keys(&self.dir, self.settings.da_nodes)?;
        }
        // L1, the DA nodes, the gateway; contracts and operators; sequencer and verifier.
        let nodes = usize::from(self.settings.rollup) + usize::from(self.settings.verifier);
        progress.expect(3 + if resumes { 0 } else { 2 } + nodes);
        self.start_l1(resumes, progress).await?;
        let deployed = if resumes {
            contracts::read(&self.dir)?
        } else {
            progress.waiting("deploying contracts");
            let deployed = contracts::deploy(&self.dir, &self.settings, &accounts).await?;
            progress.done(&format!("{} on L1", count(deployed.l1.len(), "contract")));
            progress.waiting("registering operators");
            da::register(&self.dir, &self.settings, deployed.operator_registry()?).await?;
            let operators = count(self.settings.da_nodes.into(), "operator");
            progress.done(&format!("{operators} registered"));
            deployed
        };
        self.start_all(&accounts, &deployed, progress).await?;
        if !resumes {
            self.finish_set_up(progress).await?;
        }
        self.write_manifest(&deployed, &accounts)
    }

    async fn start_l1(&mut self, resumes: bool, progress: &Progress) -> eyre::Result<()> {
        progress.waiting("starting L1");
        let from = if resumes { Some(self.l1_state.resume()?) } else { None };
        let service = l1::service(&self.dir, &self.settings, resumes)?;
        self.launch(service)?;
        self.ready(l1::L1).await?;
        let from = from.map(|block| format!(" from block {block} on")).unwrap_or_default();
        progress.done(&format!("L1 at {}{from}", http(self.settings.ports.l1)));
        Ok(())
    }

    /// What stands on the DA network, in the order in which it is needed.
    fn services(&self, registry: Address) -> eyre::Result<Vec<Service>> {
        let mut services = vec![da::gateway(&self.dir, &self.settings, registry)?];
        if self.settings.rollup {
            services.push(rollup::sequencer(&self.dir, &self.settings)?);
        }
        if self.settings.verifier {
            let ports = NodePorts::verifier(&self.settings.ports);
            services.push(rollup::verifier(&self.dir, &self.settings, VERIFIER, ports, true)?);
        }
        Ok(services)
    }

    /// Starts the DA nodes, and the rest when they sign: a batcher that finds no quorum would
    /// leave the DA network alone for minutes.
    async fn start_all(
        &mut self,
        accounts: &Accounts,
        deployed: &Deployed,
        progress: &Progress,
    ) -> eyre::Result<()> {
        let nodes = da::nodes(&self.dir, &self.settings, accounts, deployed)?;
        let names = self.launch_all(nodes)?;
        progress.waiting("the DA network draws its first seed");
        for name in &names {
            self.ready(name).await?;
        }
        progress.done(&format!("{} ready to sign", count(names.len(), "DA node")));
        for name in self.launch_all(self.services(deployed.operator_registry()?)?)? {
            progress.waiting(&format!("starting the {name}"));
            self.ready(&name).await?;
            progress.done(&format!("the {name} answers"));
        }
        Ok(())
    }

    /// Starts some beside one another; gives their names.
    fn launch_all(&mut self, services: Vec<Service>) -> eyre::Result<Vec<String>> {
        let names = services.iter().map(|service| service.name.clone()).collect();
        services.into_iter().try_for_each(|service| self.launch(service))?;
        Ok(names)
    }

    /// From here on a start finds everything on disk.
    async fn finish_set_up(&mut self, progress: &Progress) -> eyre::Result<()> {
        progress.waiting("writing L1's state");
        l1::set_pace(&self.settings).await?;
        let block = RpcClient::new(&http(self.settings.ports.l1))?.block_number().await?;
        self.l1_state.wait_for(block).await?;
        self.dir.write_settings(&self.settings)
    }

    fn write_manifest(&mut self, deployed: &Deployed, accounts: &Accounts) -> eyre::Result<()> {
        let ports = &self.settings.ports;
        let l1 = http(ports.l1);
        let metrics = |port| format!("{}/metrics", http(port));
        let mut metrics_of =
            BTreeMap::from([("gateway".to_owned(), metrics(ports.gateway_metrics))]);
        if self.settings.rollup {
            metrics_of.insert(rollup::SEQUENCER.to_owned(), metrics(ports.sequencer_metrics));
        }
        metrics_of.extend(
            (0..)
                .zip(&ports.da_metrics)
                .map(|(number, port)| (da::node_name(number), metrics(*port))),
        );
        if self.settings.verifier {
            metrics_of.insert(VERIFIER.to_owned(), metrics(ports.verifier_metrics));
        }
        self.manifest = Some(Manifest {
            l1: L1Endpoints { rpc: l1.clone(), beacon: l1, chain_id: l1::CHAIN_ID },
            l2: L2Endpoints {
                rpc: http(ports.l2),
                ws: format!("ws://127.0.0.1:{}", ports.l2),
                chain_id: deployed.l2_chain_id,
            },
            verifier: self.settings.verifier.then(|| Rpc { rpc: http(ports.verifier) }),
            da: ports.da.iter().map(|port| Url { url: http(*port) }).collect(),
            gateway: Url { url: http(ports.gateway) },
            storage: Vec::new(),
            contracts: Contracts { l1: deployed.l1.clone(), l2: deployed.l2.clone() },
            accounts: accounts.users(),
            metrics: metrics_of,
            pids: BTreeMap::new(),
        });
        self.note_processes()
    }

    /// Brings the processes of `devnet.json` up to date.
    fn note_processes(&mut self) -> eyre::Result<()> {
        let Some(manifest) = &mut self.manifest else { return Ok(()) };
        let pids = self.parts.iter().map(|part| (part.service.name.clone(), part.child.pid()));
        manifest.pids = pids.collect();
        write_json(&self.dir.manifest(), manifest)
    }

    fn launch(&mut self, service: Service) -> eyre::Result<()> {
        self.parts.push(service.start(&self.dir, self.apart)?);
        Ok(())
    }

    async fn ready(&mut self, name: &str) -> eyre::Result<()> {
        self.part(name)?.wait_ready(READY_LIMIT).await
    }

    fn part(&mut self, name: &str) -> eyre::Result<&mut Running> {
        let part = self.parts.iter_mut().find(|part| part.service.name == name);
        part.ok_or_else(|| eyre!("this devnet has no {name}"))
    }

    /// What stands in `devnet.json`.
    ///
    /// # Panics
    /// Never: a devnet that was returned by a start has one.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.manifest.as_ref().expect("written at the end of every start")
    }

    /// Seconds between L1 blocks.
    #[must_use]
    pub const fn l1_block_time(&self) -> u64 {
        self.settings.l1_block_time.get()
    }

    /// Where operators reach the sequencer and its batcher.
    #[must_use]
    pub fn sequencer_admin(&self) -> String {
        http(self.settings.ports.sequencer_admin)
    }

    /// The data directory.
    #[must_use]
    pub const fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// SIGTERM for one part; returns when it has ended.
    ///
    /// # Errors
    /// When there is no such part, or it had to be killed.
    pub async fn terminate(&mut self, name: &str) -> eyre::Result<()> {
        let part = self.part(name)?;
        part.told = true;
        part.child.terminate(STOP_LIMIT).await.map(drop)
    }

    /// `kill -9` of one part, such as `da-2` or `sequencer`.
    ///
    /// # Errors
    /// When there is no such part.
    pub fn kill9(&mut self, name: &str) -> eyre::Result<()> {
        let part = self.part(name)?;
        part.told = true;
        part.child.kill9()
    }

    /// Starts a part again that was killed, and waits until it answers. One that still runs is
    /// killed first.
    ///
    /// # Errors
    /// When there is no such part, or it does not come to answer.
    pub async fn restart(&mut self, name: &str) -> eyre::Result<()> {
        self.restart_with(name, &[]).await
    }

    /// As [`restart`](Self::restart), with further arguments for this time.
    ///
    /// # Errors
    /// As [`restart`](Self::restart).
    pub async fn restart_with(&mut self, name: &str, more: &[&str]) -> eyre::Result<()> {
        let (dir, apart) = (self.dir.clone(), self.apart);
        let part = self.part(name)?;
        part.child.kill9()?;
        let kept = part.service.clone();
        let mut service = kept.clone();
        service.args.extend(more.iter().map(Into::into));
        *part = service.start(&dir, apart)?;
        part.service = kept;
        self.ready(name).await?;
        self.note_processes()
    }

    /// Gives an option its value for the later starts of a part.
    ///
    /// # Errors
    /// When there is no such part.
    pub fn set_option(&mut self, name: &str, option: &str, value: &str) -> eyre::Result<()> {
        let args = &mut self.part(name)?.service.args;
        match args.iter_mut().skip_while(|arg| *arg != option).nth(1) {
            Some(old) => *old = value.into(),
            None => args.extend([option.into(), value.into()]),
        }
        Ok(())
    }

    /// Starts a further verifier that knows nothing but L1 and the DA network; gives its RPC.
    ///
    /// # Errors
    /// When it does not come to answer.
    pub async fn add_verifier(&mut self, name: &str) -> eyre::Result<String> {
        let ports = NodePorts::free()?;
        let service = rollup::verifier(&self.dir, &self.settings, name, ports, false)?;
        self.launch(service)?;
        self.ready(name).await?;
        self.note_processes()?;
        Ok(http(ports.http))
    }

    /// The parts that ended since the last look, without being told to.
    ///
    /// # Errors
    /// When the kernel does not answer.
    pub fn deaths(&mut self) -> eyre::Result<Vec<Death>> {
        let mut deaths = Vec::new();
        for part in self.parts.iter_mut().filter(|part| !part.told) {
            let Some(status) = part.child.exit_status()? else { continue };
            part.told = true;
            let report = format!("{status}\n{}", part.child.log_tail());
            deaths.push(Death { name: part.service.name.clone(), report });
        }
        Ok(deaths)
    }

    /// Keeps L1's newest state. To be called every few seconds.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub fn keep_l1(&mut self) -> eyre::Result<()> {
        self.l1_state.keep().map(drop).wrap_err("L1's state is not kept")
    }

    /// Stops everything in the reverse order of its start.
    ///
    /// # Errors
    /// When a part had to be killed; the others are stopped all the same.
    pub async fn stop(mut self) -> eyre::Result<()> {
        let mut outcome = Ok(());
        while let Some(mut part) = self.parts.pop() {
            let stopped = part.stop(&self.dir, STOP_LIMIT).await;
            outcome = outcome.and(stopped);
        }
        outcome.and(self.keep_l1())
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        // The last first; each is killed as it is dropped.
        while self.parts.pop().is_some() {}
    }
}
