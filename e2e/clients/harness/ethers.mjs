// ethers clients of the node under test.
import { JsonRpcProvider, NonceManager, Wallet, WebSocketProvider } from 'ethers';

import { RPC_URL, WS_URL, account } from './node.mjs';

/** A provider over HTTP that asks anew each time instead of caching for a quarter second. */
export const provider = new JsonRpcProvider(RPC_URL, undefined, {
  cacheTimeout: -1,
  polling: true,
});
provider.pollingInterval = 100;

export const openSocket = () => new WebSocketProvider(WS_URL);

/** Test account `index` as an ethers signer. */
export const signer = (index) => new Wallet(account(index).privateKey, provider);

/** The same, with nonces counted here, for sending without waiting. */
export const countingSigner = (index) => new NonceManager(signer(index));

/** The receipt of a sent transaction; an error when it reverted. */
export const mined = (response) => response.wait(1, 20_000);
