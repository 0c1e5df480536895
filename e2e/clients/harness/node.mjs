// The node under test, from the environment: RPC_URL, WS_URL and TARGET (`cairn` or `anvil`).
import assert from 'node:assert/strict';

import { mnemonicToAccount } from 'viem/accounts';

function required(name) {
  const value = process.env[name];
  assert.ok(value, `set ${name} to the node under test`);
  return value;
}

export const RPC_URL = required('RPC_URL');
export const WS_URL = required('WS_URL');

const TARGET = process.env.TARGET ?? 'cairn';
assert.ok(TARGET === 'cairn' || TARGET === 'anvil', `TARGET is cairn or anvil, not ${TARGET}`);
export const IS_ANVIL = TARGET === 'anvil';

const MNEMONIC = 'test test test test test test test test test test test junk';

/** Prefunded account 0..9 of the usual test mnemonic, with its `privateKey`. */
export function account(index) {
  const derived = mnemonicToAccount(MNEMONIC, { addressIndex: index });
  const privateKey = `0x${Buffer.from(derived.getHdKey().privateKey).toString('hex')}`;
  return Object.assign(derived, { privateKey });
}

let nextId = 1;

/** One plain JSON-RPC call, for what no client has a name for. Gives `{ result }` or `{ error }`. */
export async function rpc(method, params = []) {
  const response = await fetch(RPC_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: nextId++, method, params }),
  });
  return response.json();
}

/** Polls `probe` until it gives something truthy. */
export async function eventually(what, probe, deadlineMs = 15_000) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (performance.now() > end) assert.fail(`${what}: not within ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
