// cast as a developer's terminal: accounts, transactions, blocks, logs, storage, proofs, reverts.
import assert from 'node:assert/strict';

import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { keccak256, padHex, parseEther, toEventSelector } from 'viem';

import { artifact } from '../harness/artifacts.mjs';
import { feePaid } from '../harness/fees.mjs';
import { cast, castFailure, castJson } from '../harness/foundry.mjs';
import { IS_ANVIL, account } from '../harness/node.mjs';
import { assertAccountProof, assertStorageProofs } from '../harness/proofs.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client, deploy, wallet } from '../harness/viem.mjs';

const TRANSFER = toEventSelector('Transfer(address,address,uint256)');
const TOTAL_SUPPLY_SLOT = '2';

const sender = account(2);
const recipient = privateKeyToAddress(generatePrivateKey());
const send = (...args) => castJson('send', ...args, '--private-key', sender.privateKey);

async function transfers(step) {
  await step('chain-id, client, block-number', async () => {
    assert.equal(await cast('chain-id'), String(chain.id));
    assert.match(await cast('client'), IS_ANVIL ? /^anvil\// : /^[Cc]airn/);
    assert.ok(Number(await cast('block-number')) >= 0);
  });

  const before = BigInt(await cast('balance', sender.address));
  const receipt = await step('send ether', () => send(recipient, '--value', '1.5ether'));
  await step('receipt, tx and balances agree', async () => {
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.gasUsed, '0x5208');
    assert.equal(receipt.to, recipient.toLowerCase());
    assert.equal(await cast('receipt', receipt.transactionHash, 'status'), 'true');
    const tx = await castJson('tx', receipt.transactionHash);
    assert.equal(BigInt(tx.value), parseEther('1.5'));
    assert.equal(tx.from, sender.address.toLowerCase());
    assert.equal(tx.type, '0x2');
    assert.equal(tx.blockHash, receipt.blockHash);
    assert.equal(await cast('balance', recipient, '--ether'), '1.500000000000000000');
    const spent = before - BigInt(await cast('balance', sender.address));
    // The receipt that `cast send` prints leaves out what an OP chain adds.
    const full = await castJson('rpc', 'eth_getTransactionReceipt', receipt.transactionHash);
    assert.equal(spent, parseEther('1.5') + feePaid(full));
  });
  await step('balances of the past', async () => {
    const block = Number(receipt.blockNumber);
    assert.equal(await cast('balance', recipient, '--block', String(block - 1)), '0');
    assert.equal(await cast('balance', recipient, '--block', String(block)), '1500000000000000000');
  });
  await step('nonce counts the transactions', async () => {
    const nonce = Number(await cast('nonce', sender.address));
    await send(recipient, '--value', '1', '--legacy');
    assert.equal(await cast('nonce', sender.address), String(nonce + 1));
  });
}

async function blocks(step) {
  await step('block latest, by number and by hash are one', async () => {
    const latest = await castJson('block', 'latest');
    assert.deepEqual(await castJson('block', latest.hash), latest);
    assert.deepEqual(await castJson('block', String(Number(latest.number))), latest);
    const parent = await castJson('block', latest.parentHash);
    assert.equal(Number(parent.number) + 1, Number(latest.number));
    assert.equal(await cast('base-fee', latest.hash), String(Number(latest.baseFeePerGas)));
  });
  await step('block earliest, finalized, safe, latest and pending are in order', async () => {
    const heads = [];
    for (const tag of ['earliest', 'finalized', 'safe', 'latest', 'pending']) {
      heads.push(Number(await cast('block', tag, '--field', 'number')));
    }
    assert.equal(heads[0], 0);
    assert.deepEqual(
      heads,
      [...heads].sort((left, right) => left - right),
    );
    assert.ok(heads[4] > heads[3], `pending ${heads[4]} is not above latest ${heads[3]}`);
  });
  await step('gas-price is at least the base fee', async () => {
    const baseFee = BigInt(await cast('base-fee'));
    assert.ok(BigInt(await cast('gas-price')) >= baseFee);
  });
}

async function contract(step, token) {
  const mint = ['mint(address,uint256)', recipient, '1000'];
  await step('code and codesize are the compiled ones', async () => {
    const code = await cast('code', token);
    assert.equal(code.length, artifact('Token').deployedBytecode.length);
    assert.equal(await cast('codesize', token), String(code.length / 2 - 1));
    assert.equal(await cast('codehash', token), keccak256(code));
  });
  await step('estimate is enough, and one less is not', async () => {
    const estimate = Number(await cast('estimate', token, ...mint, '--from', sender.address));
    const receipt = await send(token, ...mint, '--gas-limit', String(estimate));
    assert.equal(receipt.status, '0x1');
    assert.ok(Number(receipt.gasUsed) <= estimate);
    assert.ok(estimate <= Number(receipt.gasUsed) * 1.02, `${estimate} for ${receipt.gasUsed}`);
  });
  await step('call, storage, logs', async () => {
    const balance = await cast('call', token, 'balanceOf(address)(uint256)', recipient);
    assert.equal(balance, '1000');
    assert.equal(BigInt(await cast('storage', token, TOTAL_SUPPLY_SLOT)), 1000n);
    const logs = await castJson(
      'logs',
      '--from-block',
      '0',
      '--address',
      token,
      'Transfer(address indexed,address indexed,uint256)',
      '',
      recipient,
    );
    assert.equal(logs.length, 1);
    assert.deepEqual(logs[0].topics, [
      TRANSFER,
      padHex('0x', { size: 32 }),
      padHex(recipient, { size: 32 }).toLowerCase(),
    ]);
    assert.equal(BigInt(logs[0].data), 1000n);
    assert.equal(logs[0].removed, false);
    const none = await castJson(
      'logs',
      '--from-block',
      '0',
      '--address',
      token,
      '--',
      TRANSFER,
      padHex('0xbad', { size: 32 }),
    );
    assert.deepEqual(none, []);
  });
  await step('proof of account and slots', async () => {
    const block = await client.getBlock();
    const proof = await castJson(
      'proof',
      token,
      TOTAL_SUPPLY_SLOT,
      '999',
      '--block',
      String(block.number),
    );
    await assertAccountProof(proof, block.stateRoot);
    await assertStorageProofs(proof);
    assert.equal(BigInt(proof.storageProof[0].value), 1000n);
    assert.equal(BigInt(proof.storageProof[1].value), 0n);
    assert.equal(proof.codeHash, keccak256(await cast('code', token)));
  });
}

async function reverts(step, token, vault) {
  await step('a reason string', async () => {
    const stderr = await castFailure('call', vault, 'withdraw(uint256)', '5');
    assert.match(
      stderr,
      /error code 3: execution reverted: Vault: balance too low, data: "0x08c379a0/,
    );
    const estimate = await castFailure('estimate', vault, 'withdraw(uint256)', '5');
    assert.match(estimate, /error code 3: execution reverted: Vault: balance too low/);
  });
  await step('a panic', async () => {
    const stderr = await castFailure('call', vault, 'averageBalance()(uint256)');
    assert.match(stderr, /data: "0x4e487b71[0]{62}12"/);
    const message = IS_ANVIL
      ? 'panic: division or modulo by zero (0x12)'
      : 'division or modulo by zero';
    assert.ok(stderr.includes(`error code 3: execution reverted: ${message}, data`), stderr);
  });
  await step('a custom error', async () => {
    const stderr = await castFailure('call', token, 'mint(address,uint256)', recipient, '1');
    const data = `0x118cdaa7${'0'.repeat(64)}`;
    const message = IS_ANVIL
      ? /error code 3: execution reverted.*, data: /
      : /error code 3: execution reverted, data: /;
    assert.match(stderr, message);
    assert.ok(stderr.includes(`data: "${data}"`), stderr);
  });
  await step('a mined transaction that failed', async () => {
    const receipt = await send(vault, 'withdraw(uint256)', '5', '--gas-limit', '100000');
    assert.equal(receipt.status, '0x0');
    assert.deepEqual(receipt.logs, []);
  });
}

await scenario('cast ledger', async (step) => {
  await transfers(step);
  await blocks(step);
  const deployer = wallet(2);
  const token = await deploy(deployer, artifact('Token'), [
    'Sample',
    'SMPL',
    5_000n,
    sender.address,
  ]);
  const vault = await deploy(deployer, artifact('Vault'));
  await contract(step, token);
  await reverts(step, token, vault);
});
