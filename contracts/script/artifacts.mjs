#!/usr/bin/env node
// Generates artifacts/: the contracts that Rust puts into a genesis or deploys, one file each.
//
//   node script/artifacts.mjs           write what is missing or differs
//   node script/artifacts.mjs --check   write nothing, exit with 1 and name what differs
//   ... --out DIR                       where forge put its artifacts, out/ by default
//
// Sources: our own contracts as forge has just compiled them (run `forge build` first), the forge
// artifacts inside @eth-optimism/contracts-bedrock, the constants of its Preinstalls library, and
// the artifacts inside @account-abstraction/contracts. A file holds
//
//   contract    its name
//   source      where the code comes from
//   code        runtime code, zero where an immutable belongs
//   immutables  name of each immutable -> offsets of its 32-byte words in the code
//   abi         of our own contracts only
//
// Contracts of L1 are deployed and not put into a genesis: instead of code and immutables their files
// hold initCode, to which the encoded constructor arguments are appended.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const OUTPUT = join(ROOT, 'artifacts');
const { values: OPTIONS } = parseArgs({
  options: { check: { type: 'boolean', default: false }, out: { type: 'string' } },
});
const COMPILED = OPTIONS.out ?? join(ROOT, 'out');
const BEDROCK = '@eth-optimism/contracts-bedrock';
const ERC4337 = '@account-abstraction/contracts';

const OURS = ['GasPriceOracle', 'L1Block', 'OperatorFeeVault'];
const DEPLOYED = {
  BatchInbox: 'src/rollup/BatchInbox.sol',
  CertificateVerifier: 'src/da/CertificateVerifier.sol',
  CertificateVerifierRouter: 'src/da/CertificateVerifierRouter.sol',
  OperatorRegistry: 'src/da/OperatorRegistry.sol',
};
const DEPLOYED_ROLLUP = {
  OutputGame: 'src/rollup/OutputGame.sol',
  OutputRoles: 'src/rollup/OutputRoles.sol',
};
const DEPLOYED_SAMPLES = { ElementReader: 'src/sample/ElementReader.sol' };
// Bridge and proposals on L1, deployed as the package has them.
const BRIDGE = [
  'AnchorStateRegistry', 'DisputeGameFactory', 'L1CrossDomainMessenger', 'L1ERC721Bridge',
  'L1StandardBridge', 'OptimismMintableERC20Factory', 'OptimismPortal2', 'ProtocolVersions',
  'Proxy', 'ProxyAdmin', 'SuperchainConfig', 'SystemConfig',
];
const PREDEPLOYS = [
  'BaseFeeVault', 'EAS', 'L1FeeVault', 'L2CrossDomainMessenger', 'L2ERC721Bridge',
  'L2StandardBridge', 'L2ToL1MessagePasser', 'OptimismMintableERC20Factory',
  'OptimismMintableERC721Factory', 'Proxy', 'ProxyAdmin', 'SchemaRegistry', 'SequencerFeeVault',
  'WETH',
];
// Immutables are declared in base contracts; their names stand in the syntax trees of those.
const IMMUTABLE_SOURCES = {
  BaseFeeVault: ['FeeVault.sol/FeeVault.json'],
  L1FeeVault: ['FeeVault.sol/FeeVault.json'],
  SequencerFeeVault: ['FeeVault.sol/FeeVault.json'],
  OptimismMintableERC721Factory: [
    'OptimismMintableERC721Factory.sol/OptimismMintableERC721Factory.json',
  ],
  EAS: ['draft-EIP712.sol/EIP712.0.8.19.json', 'EIP1271Verifier.sol/EIP1271Verifier.json'],
};
// Name of the constant in Preinstalls.sol -> name of the contract.
const PREINSTALLS = {
  Create2DeployerCode: 'Create2Deployer',
  DeterministicDeploymentProxyCode: 'DeterministicDeploymentProxy',
  EntryPointCode: 'EntryPointV06',
  MultiCall3Code: 'Multicall3',
  MultiSendCallOnly_v130Code: 'MultiSendCallOnly',
  MultiSend_v130Code: 'MultiSend',
  Permit2TemplateCode: 'Permit2',
  SafeL2_v130Code: 'SafeL2',
  SafeSingletonFactoryCode: 'SafeSingletonFactory',
  Safe_v130Code: 'Safe',
  SenderCreatorCode: 'SenderCreatorV06',
};

function json(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function package_(name) {
  const path = join(ROOT, 'node_modules', name);
  return { path, label: `${name}@${json(join(path, 'package.json')).version}` };
}

function offsets(references) {
  return references.map(({ start, length }) => {
    if (length !== 32) throw new Error(`immutable of ${length} bytes`);
    return start;
  });
}

/** Ids of immutable variables anywhere in a syntax tree. */
function immutableNames(node, names = new Map()) {
  if (Array.isArray(node)) node.forEach((child) => immutableNames(child, names));
  else if (node !== null && typeof node === 'object') {
    if (node.nodeType === 'VariableDeclaration' && node.mutability === 'immutable') {
      names.set(String(node.id), node.name);
    }
    Object.values(node).forEach((child) => immutableNames(child, names));
  }
  return names;
}

function ours(name) {
  const artifact = json(join(COMPILED, `${name}.sol`, `${name}.json`));
  if (Object.keys(artifact.deployedBytecode.immutableReferences ?? {}).length > 0) {
    throw new Error(`${name}: immutables of our own contracts are not supported`);
  }
  return {
    contract: name,
    source: `src/rollup/${name}.sol`,
    code: artifact.deployedBytecode.object,
    immutables: {},
    abi: artifact.abi,
  };
}

function deployed([name, source]) {
  const { abi, bytecode } = json(join(COMPILED, `${name}.sol`, `${name}.json`));
  if (Object.keys(bytecode.linkReferences ?? {}).length > 0) {
    throw new Error(`${name}: libraries that need linking are not supported`);
  }
  return { contract: name, source, initCode: bytecode.object, abi };
}

function bridge(name) {
  const { path, label } = package_(BEDROCK);
  const { bytecode } = json(join(path, 'forge-artifacts', `${name}.sol`, `${name}.json`));
  if (Object.keys(bytecode.linkReferences ?? {}).length > 0) {
    throw new Error(`${name}: libraries that need linking are not supported`);
  }
  const source = `${label}/forge-artifacts/${name}.sol`;
  return { contract: name, source, initCode: bytecode.object };
}

function predeploy(name) {
  const { path, label } = package_(BEDROCK);
  const artifacts = join(path, 'forge-artifacts');
  const { deployedBytecode } = json(join(artifacts, `${name}.sol`, `${name}.json`));
  const names = new Map();
  for (const source of IMMUTABLE_SOURCES[name] ?? []) {
    immutableNames(json(join(artifacts, source)).ast, names);
  }
  const immutables = {};
  for (const [id, references] of Object.entries(deployedBytecode.immutableReferences ?? {})) {
    if (!names.has(id)) throw new Error(`${name}: immutable ${id} has no name`);
    immutables[names.get(id)] = offsets(references);
  }
  return {
    contract: name,
    source: `${label}/forge-artifacts/${name}.sol`,
    code: deployedBytecode.object,
    immutables,
  };
}

function preinstalls() {
  const { path, label } = package_(BEDROCK);
  const source = readFileSync(join(path, 'src/libraries/Preinstalls.sol'), 'utf8');
  return Object.entries(PREINSTALLS).map(([constant, contract]) => {
    const match = source.match(new RegExp(`constant ${constant} =\\s*hex"([0-9a-f]+)"`));
    if (match === null) throw new Error(`Preinstalls.sol has no ${constant}`);
    const immutables = {};
    if (contract === 'Permit2') {
      // As getPermit2Code fills the template.
      const [chainId, separator] = [...source.matchAll(/mstore\(add\(add\(out_, 0x20\), (\d+)\)/g)];
      immutables._CACHED_CHAIN_ID = [Number(chainId[1])];
      immutables._CACHED_DOMAIN_SEPARATOR = [Number(separator[1])];
    }
    return {
      contract,
      source: `${label}/src/libraries/Preinstalls.sol`,
      code: `0x${match[1]}`,
      immutables,
    };
  });
}

/**
 * ERC-4337 0.7. Only the EntryPoint artifact is that of the canonical deployment: the SenderCreator
 * which it creates is compiled into its init code, at the end.
 */
function entryPoints() {
  const { path, label } = package_(ERC4337);
  const { bytecode, deployedBytecode: code } = json(join(path, 'artifacts/EntryPoint.json'));
  // The artifact does not say where immutables are; they are the only pushes of 32 zero bytes.
  const zeros = [...code.matchAll(/7f0{64}/g)].map(({ index }) => index / 2);
  if (!zeros.every(Number.isInteger)) throw new Error('EntryPoint: zeros between two bytes');
  // PUSH2 size, DUP1/DUP2, PUSH2 offset, DUP3, CODECOPY, RETURN; the revert branch; INVALID.
  const creation = bytecode.match(/61([0-9a-f]{4})908161[0-9a-f]{4}8239f35b600080fdfe([0-9a-f]+)$/);
  if (creation === null || creation[2].length !== 2 * parseInt(creation[1], 16)) {
    throw new Error('EntryPoint: its init code does not end with the SenderCreator');
  }
  const source = `${label}/artifacts/EntryPoint.json`;
  return [
    { contract: 'EntryPointV07', source, code, immutables: { _senderCreator: zeros } },
    { contract: 'SenderCreatorV07', source, code: `0x${creation[2]}`, immutables: {} },
  ];
}

/** Path below OUTPUT -> text. */
function generate() {
  const files = new Map();
  const add = (folder, artifact) => {
    files.set(`${folder}/${artifact.contract}.json`, `${JSON.stringify(artifact, null, 2)}\n`);
  };
  OURS.forEach((name) => add('rollup', ours(name)));
  Object.entries(DEPLOYED).forEach((entry) => add('da', deployed(entry)));
  Object.entries(DEPLOYED_ROLLUP).forEach((entry) => add('rollup', deployed(entry)));
  Object.entries(DEPLOYED_SAMPLES).forEach((entry) => add('sample', deployed(entry)));
  BRIDGE.forEach((name) => add('bridge', bridge(name)));
  PREDEPLOYS.forEach((name) => add('predeploys', predeploy(name)));
  [...preinstalls(), ...entryPoints()].forEach((artifact) => add('preinstalls', artifact));
  return files;
}

function existing() {
  const files = new Map();
  for (const folder of ['rollup', 'da', 'sample', 'bridge', 'predeploys', 'preinstalls']) {
    let names = [];
    try {
      names = readdirSync(join(OUTPUT, folder));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    for (const name of names) {
      files.set(`${folder}/${name}`, readFileSync(join(OUTPUT, folder, name), 'utf8'));
    }
  }
  return files;
}

const wanted = generate();
const present = existing();
const differing = [...new Set([...wanted.keys(), ...present.keys()])]
  .filter((file) => wanted.get(file) !== present.get(file))
  .sort();

if (OPTIONS.check) {
  differing.forEach((file) => process.stderr.write(`artifacts/${file} is not what was compiled\n`));
  process.exitCode = differing.length === 0 ? 0 : 1;
} else {
  for (const file of differing) {
    const path = join(OUTPUT, file);
    if (wanted.has(file)) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, wanted.get(file));
    } else {
      rmSync(path);
    }
    process.stdout.write(`artifacts/${file}\n`);
  }
}
