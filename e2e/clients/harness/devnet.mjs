// The devnet under test, from the file that DEVNET_JSON names, and viem's op-stack clients of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { createPublicClient, createWalletClient, defineChain, http } from 'viem';
import {
  chainConfig,
  getL2TransactionHashes,
  publicActionsL1,
  publicActionsL2,
  walletActionsL1,
  walletActionsL2,
} from 'viem/op-stack';

import { account, eventually } from './node.mjs';

assert.ok(process.env.DEVNET_JSON, 'set DEVNET_JSON to the devnet.json under test');
export const devnet = JSON.parse(readFileSync(process.env.DEVNET_JSON, 'utf8'));

const MULTICALL3 = { address: '0xcA11bde05977b3631167028862bE2a173976CA11' };
const nativeCurrency = { name: 'Ether', symbol: 'ETH', decimals: 18 };

export const contracts = devnet.contracts;

// The portal burns gas by a price that moves with every deposit and block: what was estimated a block
// before can fall short. viem's estimate is left out in favour of plenty.
export const depositGas = 10_000_000n;

export const l1 = defineChain({
  id: devnet.l1.chainId,
  name: 'L1',
  nativeCurrency,
  rpcUrls: { default: { http: [devnet.l1.rpc] } },
  contracts: { multicall3: { address: contracts.l1.Multicall3 } },
});

const onL1 = (name) => ({ [l1.id]: { address: contracts.l1[name] } });

export const l2 = defineChain({
  ...chainConfig,
  id: devnet.l2.chainId,
  name: 'L2',
  nativeCurrency,
  sourceId: l1.id,
  rpcUrls: { default: { http: [devnet.l2.rpc] } },
  contracts: {
    ...chainConfig.contracts,
    multicall3: MULTICALL3,
    portal: onL1('OptimismPortal'),
    disputeGameFactory: onL1('DisputeGameFactory'),
    l1StandardBridge: onL1('L1StandardBridge'),
  },
});

const options = (chain, url) => ({
  chain,
  // Retries would hide a node that fails now and then. The first opening that anvil checks takes it
  // seconds.
  transport: http(url, { retryCount: 0, timeout: 60_000 }),
  pollingInterval: 200,
  cacheTime: 0,
});

const onChain1 = options(l1, devnet.l1.rpc);
const onChain2 = options(l2, devnet.l2.rpc);

export const publicL1 = createPublicClient(onChain1).extend(publicActionsL1());
export const publicL2 = createPublicClient(onChain2).extend(publicActionsL2());

/** A client of the verifier, which learns from L1 and the DA network. */
export const verifier = createPublicClient(options(l2, devnet.verifier.rpc));

/** Wallets of test account `index` on both chains. */
export const walletL1 = (index) =>
  createWalletClient({ ...onChain1, account: account(index) }).extend(walletActionsL1());
export const walletL2 = (index) =>
  createWalletClient({ ...onChain2, account: account(index) }).extend(walletActionsL2());

const succeeded = (receipt, chain) => {
  assert.equal(receipt.status, 'success', `${receipt.transactionHash} on ${chain.name} reverted`);
  return receipt;
};

/** The receipt of a transaction on L1 that must have succeeded. */
export const minedL1 = async (hash) =>
  succeeded(await publicL1.waitForTransactionReceipt({ hash, timeout: 60_000 }), l1);

/** The receipt of a transaction on L2 that must have succeeded. */
export const minedL2 = async (hash) =>
  succeeded(await publicL2.waitForTransactionReceipt({ hash, timeout: 60_000 }), l2);

/** The receipt on L2 of the one deposit of a transaction on L1. */
export async function deposited(l1Receipt) {
  const hashes = getL2TransactionHashes(l1Receipt);
  assert.equal(hashes.length, 1);
  return minedL2(hashes[0]);
}

/** Waits until the verifier has derived a block, and holds its hash against the sequencer's. */
export async function derivedAlike(blockNumber) {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const safe = await verifier.getBlock({ blockTag: 'safe' });
    if (safe.number >= blockNumber) break;
    assert.ok(performance.now() < deadline, `block ${blockNumber} is not derived: ${safe.number}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const [ours, theirs] = await Promise.all(
    [publicL2, verifier].map((client) => client.getBlock({ blockNumber })),
  );
  assert.equal(theirs.hash, ours.hash, `block ${blockNumber} differs`);
}

/** Proves and finalizes a withdrawal as the account of `wallet`; `step` reports how far it is. */
export async function withdraw(step, wallet, l2Receipt) {
  const targetChain = l2;
  const { output, withdrawal } = await step('an output root with it is proposed', () =>
    publicL1.waitToProve({ receipt: l2Receipt, targetChain }),
  );
  await step('it is ready to be proven', async () => {
    const status = await publicL1.getWithdrawalStatus({ receipt: l2Receipt, targetChain });
    assert.equal(status, 'ready-to-prove');
  });
  await step('it is proven', async () => {
    const proof = await publicL2.buildProveWithdrawal({ output, withdrawal });
    await minedL1(await wallet.proveWithdrawal(proof));
  });
  await step('it is not finalized before its time', () =>
    assert.rejects(wallet.finalizeWithdrawal({ targetChain, withdrawal })),
  );
  await step('it becomes ready to be finalized', () => ready(l2Receipt, withdrawal));
  const receipt = await step('it is finalized', async () =>
    minedL1(await wallet.finalizeWithdrawal({ targetChain, withdrawal })),
  );
  await step('it is finalized once', async () => {
    const status = await publicL1.getWithdrawalStatus({ receipt: l2Receipt, targetChain });
    assert.equal(status, 'finalized');
    await assert.rejects(wallet.finalizeWithdrawal({ targetChain, withdrawal }));
  });
  return receipt;
}

/** Whether a proven withdrawal can be finalized. */
export async function isReady(receipt) {
  try {
    const status = await publicL1.getWithdrawalStatus({ receipt, targetChain: l2 });
    return status === 'ready-to-finalize';
  } catch (error) {
    // viem has no status for a proof that is old enough against a game that is not resolved.
    if (/has not been validated/.test(error.message)) return false;
    throw error;
  }
}

const ready = async (receipt, { withdrawalHash }) => {
  await publicL1.waitToFinalize({ targetChain: l2, withdrawalHash });
  // The game has to be resolved as well, which is the proposer's work.
  await eventually('ready to be finalized', () => isReady(receipt), 120_000);
};
