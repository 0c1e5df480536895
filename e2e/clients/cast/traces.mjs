// cast's local re-execution (`run`, `call --trace`) and the node's tracers through `cast rpc`.
import assert from 'node:assert/strict';

import { encodeFunctionData, padHex, parseEther } from 'viem';

import { artifact } from '../harness/artifacts.mjs';
import { cast, castJson } from '../harness/foundry.mjs';
import { IS_ANVIL, account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client, deploy, mined, wallet } from '../harness/viem.mjs';

const owner = wallet(3);
const sender = account(3).address;
const vaultCode = artifact('Vault');
const deposit = encodeFunctionData({ abi: vaultCode.abi, functionName: 'deposit' });
const withdraw = encodeFunctionData({
  abi: vaultCode.abi,
  functionName: 'withdraw',
  args: [parseEther('1')],
});

const trace = async (hash, options) =>
  JSON.parse(await cast('rpc', 'debug_traceTransaction', hash, JSON.stringify(options)));

// cast 1.7.1 decodes the deposit transactions of OP blocks only on chains that it knows by id.
const RUNS_HERE = IS_ANVIL || chain.id !== 901;

async function localTraces(step, proxy, hash) {
  if (!RUNS_HERE) console.log('  skipped run: start the node with --chain-id 11155420 for it');
  for (const flags of RUNS_HERE ? [[], ['--quick']] : []) {
    await step(`run ${flags.join(' ')}`, async () => {
      const output = await cast('run', hash, ...flags);
      const receipt = await client.getTransactionReceipt({ hash });
      assert.match(output, /::deposit\{value: 1000000000000000000\}\(\)/);
      assert.match(output, /deposit\{value: 1000000000000000000\}\(\) \[delegatecall\]/);
      assert.match(
        output,
        /emit Deposited\(depositor: 0x[0-9a-fA-F]{40}, amount: 1000000000000000000 \[1e18\]/,
      );
      assert.match(output, /Transaction successfully executed\./);
      assert.match(output, new RegExp(`Gas used: ${receipt.gasUsed}$`, 'm'));
    });
  }
  await step('call --trace shows the revert', async () => {
    const output = await cast(
      'call',
      proxy,
      'withdraw(uint256)',
      '7',
      '--trace',
      '--from',
      account(9).address,
    );
    assert.match(output, /\[Revert\] Vault: balance too low/);
  });
  await step('access-list names the slots that the call reads', async () => {
    const list = await castJson(
      'access-list',
      proxy,
      'balanceOf(address)',
      sender,
      '--from',
      sender,
    );
    const { storageKeys } = list.accessList.find(({ address }) => address === proxy.toLowerCase());
    assert.equal(storageKeys.length, 2);
    // The implementation slot of EIP-1967 and balanceOf[sender] of slot 1.
    assert.ok(
      storageKeys.includes('0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc'),
    );
    assert.ok(storageKeys.includes(await cast('index', 'address', sender, '1')));
    assert.ok(Number(list.gasUsed) > 21_000);
  });
}

async function callTracer(step, { proxy, implementation, hash }) {
  const receipt = await client.getTransactionReceipt({ hash });
  const transaction = await client.getTransaction({ hash });
  await step('callTracer gives the delegate call and its log', async () => {
    const top = await trace(hash, { tracer: 'callTracer', tracerConfig: { withLog: true } });
    assert.equal(top.type, 'CALL');
    assert.equal(top.from, sender.toLowerCase());
    assert.equal(top.to, proxy.toLowerCase());
    assert.equal(BigInt(top.value), parseEther('1'));
    assert.equal(BigInt(top.gasUsed), receipt.gasUsed);
    // anvil gives the gas that is left after the intrinsic cost, geth the transaction's limit.
    if (!IS_ANVIL) assert.equal(BigInt(top.gas), transaction.gas);
    assert.equal(top.calls.length, 1);
    const [inner] = top.calls;
    assert.equal(inner.type, 'DELEGATECALL');
    assert.equal(inner.to, implementation.toLowerCase());
    assert.equal(inner.input, deposit);
    assert.equal(inner.logs.length, 1);
    assert.equal(inner.logs[0].address, proxy.toLowerCase());
    assert.deepEqual(inner.logs[0].topics, receipt.logs[0].topics);
    assert.equal(inner.logs[0].data, receipt.logs[0].data);
    assert.equal(inner.logs[0].position, '0x0');
  });
  await step('callTracer onlyTopCall', async () => {
    const top = await trace(hash, { tracer: 'callTracer', tracerConfig: { onlyTopCall: true } });
    assert.equal(top.calls, undefined);
    assert.equal(top.logs, undefined);
  });
}

async function otherTracers(step, { proxy, implementation, hash }) {
  const slot = await cast('index', 'address', sender, '1');
  await step('prestateTracer gives the accounts as they were', async () => {
    const state = await trace(hash, { tracer: 'prestateTracer' });
    assert.equal(BigInt(state[proxy.toLowerCase()].balance), 0n);
    assert.equal(state[proxy.toLowerCase()].code, await cast('code', proxy));
    assert.equal(state[implementation.toLowerCase()].code, await cast('code', implementation));
    const { nonce } = await client.getTransaction({ hash });
    assert.equal(state[sender.toLowerCase()].nonce, nonce);
    assert.equal(state[proxy.toLowerCase()].storage[slot], padHex('0x', { size: 32 }));
  });
  await step('prestateTracer diffMode gives what changed', async () => {
    const { pre, post } = await trace(hash, {
      tracer: 'prestateTracer',
      tracerConfig: { diffMode: true },
    });
    assert.equal(BigInt(post[proxy.toLowerCase()].balance), parseEther('1'));
    assert.equal(BigInt(post[proxy.toLowerCase()].storage[slot]), parseEther('1'));
    assert.equal(pre[proxy.toLowerCase()].storage?.[slot], undefined);
    assert.equal(post[sender.toLowerCase()].nonce, pre[sender.toLowerCase()].nonce + 1);
    assert.equal(post[implementation.toLowerCase()], undefined);
  });
  await step('4byteTracer counts selectors', async () => {
    const selectors = await trace(hash, { tracer: '4byteTracer' });
    assert.deepEqual(selectors, { [`${deposit}-0`]: 2 });
  });
  await step('the struct logger ends with the receipt', async () => {
    const { gas, failed, returnValue, structLogs } = await trace(hash, { enableMemory: false });
    const receipt = await client.getTransactionReceipt({ hash });
    assert.equal(BigInt(gas), receipt.gasUsed);
    assert.equal(failed, false);
    assert.ok(['', '0x'].includes(returnValue), returnValue);
    assert.equal(structLogs[0].op, 'PUSH1');
    assert.equal(structLogs[0].pc, 0);
    assert.equal(structLogs[0].depth, 1);
    assert.ok(structLogs.some(({ op, depth }) => op === 'SSTORE' && depth === 2));
  });
}

await scenario('cast traces', async (step) => {
  const implementation = await deploy(owner, vaultCode);
  const initialize = encodeFunctionData({
    abi: vaultCode.abi,
    functionName: 'initialize',
    args: [sender],
  });
  const proxy = await deploy(owner, artifact('ERC1967Proxy'), [implementation, initialize]);
  const hash = await owner.sendTransaction({ to: proxy, data: deposit, value: parseEther('1') });
  await mined(hash);
  const context = { proxy, implementation, hash };

  await localTraces(step, proxy, hash);
  await callTracer(step, context);
  await otherTracers(step, context);
  await step('callTracer of a failed transaction has the reason', async () => {
    const failing = await owner.sendTransaction({
      to: implementation,
      data: withdraw,
      gas: 200_000n,
    });
    const receipt = await client.waitForTransactionReceipt({ hash: failing });
    assert.equal(receipt.status, 'reverted');
    const top = await trace(failing, { tracer: 'callTracer' });
    assert.equal(top.error, 'execution reverted');
    assert.equal(top.revertReason, 'Vault: balance too low');
    assert.ok(top.output.startsWith('0x08c379a0'));
  });
  await step('debug_traceCall and debug_traceBlockByNumber', async () => {
    const call = { from: sender, to: proxy, data: deposit, value: '0x5' };
    const top = JSON.parse(
      await cast(
        'rpc',
        'debug_traceCall',
        JSON.stringify(call),
        'latest',
        '{"tracer":"callTracer"}',
      ),
    );
    assert.equal(top.calls[0].type, 'DELEGATECALL');
    const { blockNumber } = await client.getTransactionReceipt({ hash });
    const block = await client.getBlock({ blockNumber });
    const traces = JSON.parse(
      await cast(
        'rpc',
        'debug_traceBlockByNumber',
        `0x${blockNumber.toString(16)}`,
        '{"tracer":"callTracer"}',
      ),
    );
    assert.deepEqual(
      traces.map(({ txHash }) => txHash),
      block.transactions,
    );
    assert.deepEqual(
      traces[block.transactions.indexOf(hash)].result,
      await trace(hash, { tracer: 'callTracer' }),
    );
  });
});
