// `forge script --broadcast` of the sample deployment, with and without --slow: every receipt
// that forge recorded is checked, then the deployed contracts themselves.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { generatePrivateKey } from 'viem/accounts';
import { getAddress, getContract, pad, parseEther } from 'viem';

import { artifact, assertDeployedCode } from '../harness/artifacts.mjs';
import { forge } from '../harness/foundry.mjs';
import { RPC_URL, account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client } from '../harness/viem.mjs';

// keccak256("eip1967.proxy.implementation") - 1
const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
const CREATE2_DEPLOYER = '0x4e59b44847b379578588920cA78FbF26c0B4956C';
const BEEF = '0x000000000000000000000000000000000000bEEF';
const TRANSACTIONS = [
  ['CREATE', 'Token'],
  ['CREATE', 'Collectible'],
  ['CREATE', 'Vault'],
  ['CREATE', 'ERC1967Proxy'],
  ['CREATE2', 'BatchAccount'],
  ['CALL', 'Token'],
  ['CALL', 'Token'],
  ['CALL', 'Collectible'],
  ['CALL', 'ERC1967Proxy'],
  ['CREATE', 'VaultV2'],
  ['CALL', 'ERC1967Proxy'],
];

async function broadcast(deployer, flags) {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-forge-script-'));
  await forge(
    [
      'script',
      'script/DeploySample.s.sol:DeploySample',
      '--rpc-url',
      RPC_URL,
      '--private-key',
      deployer.privateKey,
      '--broadcast',
      ...flags,
    ],
    { FOUNDRY_BROADCAST: directory, SALT: generatePrivateKey() },
  );
  const path = join(directory, 'DeploySample.s.sol', String(chain.id), 'run-latest.json');
  return JSON.parse(readFileSync(path, 'utf8'));
}

async function checkReceipts(run, deployer, nonce) {
  assert.deepEqual(
    run.transactions.map(({ transactionType, contractName }) => [transactionType, contractName]),
    TRANSACTIONS,
  );
  assert.equal(run.receipts.length, TRANSACTIONS.length);
  // Without --slow forge sends all at once and files the hashes in the order of the answers, so
  // the pairing with what was meant to be sent is by nonce.
  const hashes = run.transactions.map(({ hash }) => hash);
  const onChain = await Promise.all(hashes.map((hash) => client.getTransaction({ hash })));
  onChain.sort((left, right) => left.nonce - right.nonce);
  for (const [index, sent] of run.transactions.entries()) {
    const { hash, input, ...transaction } = onChain[index];
    assert.equal(transaction.nonce, nonce + index);
    assert.equal(Number(sent.transaction.nonce), nonce + index);
    assert.equal(input, sent.transaction.input);
    const recorded = run.receipts.find(({ transactionHash }) => transactionHash === hash);
    assert.equal(recorded.status, '0x1');
    const receipt = await client.getTransactionReceipt({ hash });
    assert.equal(receipt.status, 'success');
    assert.equal(receipt.from, deployer.address.toLowerCase());
    assert.equal(receipt.blockHash, recorded.blockHash);
    assert.equal(receipt.logs.length, recorded.logs.length);
    if (sent.transactionType === 'CREATE') {
      assert.equal(receipt.contractAddress, sent.contractAddress.toLowerCase());
    }
  }
  const create2 = run.transactions.find(({ transactionType }) => transactionType === 'CREATE2');
  assert.equal(getAddress(create2.transaction.to), CREATE2_DEPLOYER);
}

const created = (run, name) =>
  run.transactions.find(
    ({ transactionType, contractName }) => transactionType !== 'CALL' && contractName === name,
  ).contractAddress;

async function checkContracts(run, deployer) {
  const at = (name, { abi } = artifact(name)) =>
    getContract({ address: getAddress(created(run, name)), abi, client });
  const token = at('Token');
  assert.equal(await token.read.totalSupply(), parseEther('1000'));
  assert.equal(await token.read.balanceOf([BEEF]), parseEther('250'));
  assert.equal(await token.read.balanceOf([deployer.address]), parseEther('750'));

  const collectible = at('Collectible');
  assert.equal(await collectible.read.ownerOf([0n]), deployer.address);
  assert.equal(await collectible.read.tokenURI([0n]), 'ipfs://one');

  const vault = artifact('VaultV2', 'Vault.sol');
  const proxy = at('ERC1967Proxy', vault);
  assert.equal(await proxy.read.version(), 2n);
  assert.equal(await proxy.read.total(), parseEther('1'));
  assert.equal(await proxy.read.balanceOf([deployer.address]), parseEther('1'));
  assert.equal(await proxy.read.owner(), deployer.address);
  const implementation = created(run, 'VaultV2');
  const stored = await client.getStorageAt({ address: proxy.address, slot: IMPLEMENTATION_SLOT });
  assert.equal(stored, pad(implementation).toLowerCase());
  assertDeployedCode(await client.getCode({ address: implementation }), vault);

  const account = artifact('BatchAccount');
  const code = await client.getCode({ address: created(run, 'BatchAccount') });
  assertDeployedCode(code, account);
}

await scenario('forge script', async (step) => {
  const deployer = account(1);
  for (const flags of [['--slow'], []]) {
    const nonce = await client.getTransactionCount(deployer);
    const run = await step(`broadcast ${flags.join(' ')}`, () => broadcast(deployer, flags));
    await step('every recorded receipt is on the chain', () => checkReceipts(run, deployer, nonce));
    await step('the contracts are deployed, used and upgraded', () =>
      checkContracts(run, deployer),
    );
  }
});
