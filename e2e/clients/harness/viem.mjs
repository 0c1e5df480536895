// viem clients of the node under test.
import { createPublicClient, createWalletClient, defineChain, http, webSocket } from 'viem';

import { RPC_URL, WS_URL, account, rpc } from './node.mjs';

const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';

const { result: chainId } = await rpc('eth_chainId');

export const chain = defineChain({
  id: Number(chainId),
  name: 'node under test',
  nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
  rpcUrls: { default: { http: [RPC_URL], webSocket: [WS_URL] } },
  contracts: { multicall3: { address: MULTICALL3 } },
});

// Retries would hide a node that fails now and then.
const transport = http(RPC_URL, { retryCount: 0 });

export const client = createPublicClient({ chain, transport, pollingInterval: 100, cacheTime: 0 });

/** A client over WebSocket, whose watchers are subscriptions. */
export const openSocket = () =>
  createPublicClient({ chain, transport: webSocket(WS_URL, { retryCount: 0, reconnect: false }) });

/** A wallet that signs here, as test account `index` or as `signer`. */
export const wallet = (signer) =>
  createWalletClient({
    chain,
    transport,
    account: typeof signer === 'number' ? account(signer) : signer,
    pollingInterval: 100,
    cacheTime: 0,
  });

/** The receipt of a transaction that must have succeeded. */
export async function mined(hash) {
  const receipt = await client.waitForTransactionReceipt({ hash, timeout: 20_000 });
  if (receipt.status !== 'success') throw new Error(`transaction ${hash} reverted`);
  return receipt;
}

/** Deploys a compiled contract; gives its address. */
export async function deploy(signer, { abi, bytecode }, args = []) {
  const receipt = await mined(await signer.deployContract({ abi, bytecode, args }));
  return receipt.contractAddress;
}
