// viem: every transaction type, fee estimation and the synchronous send of EIP-7966.
import assert from 'node:assert/strict';

import { concatHex, encodeFunctionData, keccak256, parseEther, parseGwei } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

import { artifact } from '../harness/artifacts.mjs';
import { IS_ANVIL, account, rpc } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { chain, client, deploy, mined, wallet } from '../harness/viem.mjs';

const sender = wallet(8);
const stranger = () => privateKeyToAccount(generatePrivateKey()).address;

async function fees(step) {
  await step('estimateFeesPerGas covers the next base fee', async () => {
    const { maxFeePerGas, maxPriorityFeePerGas } = await client.estimateFeesPerGas();
    const { baseFeePerGas } = await client.getBlock();
    assert.ok(maxFeePerGas >= baseFeePerGas + maxPriorityFeePerGas);
    assert.ok((await client.getGasPrice()) >= baseFeePerGas);
    assert.ok((await client.estimateMaxPriorityFeePerGas()) >= 0n);
  });
  await step('feeHistory agrees with the headers', async () => {
    await mined(await sender.sendTransaction({ to: stranger(), value: 1n }));
    const history = await client.getFeeHistory({ blockCount: 2, rewardPercentiles: [10, 50, 90] });
    assert.equal(history.baseFeePerGas.length, 3);
    assert.equal(history.gasUsedRatio.length, 2);
    assert.equal(history.reward.length, 2);
    for (const [index, ratio] of history.gasUsedRatio.entries()) {
      const block = await client.getBlock({ blockNumber: history.oldestBlock + BigInt(index) });
      assert.equal(history.baseFeePerGas[index], block.baseFeePerGas);
      const expected = Number(block.gasUsed) / Number(block.gasLimit);
      assert.ok(Math.abs(ratio - expected) < 1e-9, `${ratio} for ${expected}`);
      const [low, middle, high] = history.reward[index];
      assert.ok(low <= middle && middle <= high);
    }
  });
}

async function types(step) {
  const value = parseEther('0.25');
  for (const [type, byte] of [
    ['legacy', '0x0'],
    ['eip2930', '0x1'],
    ['eip1559', '0x2'],
  ]) {
    await step(`a ${type} transaction`, async () => {
      const to = stranger();
      const accessList = [{ address: to, storageKeys: [`0x${'7'.padStart(64, '0')}`] }];
      const hash = await sender.sendTransaction({
        type,
        to,
        value,
        ...(type === 'eip2930' && { accessList }),
      });
      const receipt = await mined(hash);
      // 2,400 for the address and 1,900 for the key (EIP-2930).
      assert.equal(receipt.gasUsed, type === 'eip2930' ? 25_300n : 21_000n);
      assert.equal(receipt.type, type);
      assert.equal(receipt.cumulativeGasUsed >= receipt.gasUsed, true);
      const transaction = await client.getTransaction({ hash });
      assert.equal(transaction.typeHex, byte);
      assert.equal(transaction.value, value);
      assert.equal(transaction.chainId, chain.id);
      if (type === 'eip2930')
        assert.deepEqual(
          transaction.accessList,
          accessList.map((entry) => ({ ...entry, address: to.toLowerCase() })),
        );
      assert.equal(await client.getBalance({ address: to }), value);
    });
  }
  await step('the effective price of an EIP-1559 transaction is base fee plus tip', async () => {
    const maxPriorityFeePerGas = parseGwei('1.5');
    const maxFeePerGas = parseGwei('50');
    const hash = await sender.sendTransaction({
      to: stranger(),
      value: 1n,
      maxFeePerGas,
      maxPriorityFeePerGas,
    });
    const receipt = await mined(hash);
    const { baseFeePerGas } = await client.getBlock({ blockHash: receipt.blockHash });
    assert.equal(receipt.effectiveGasPrice, baseFeePerGas + maxPriorityFeePerGas);
  });
}

async function synchronous(step) {
  const signed = async (fields) => {
    const request = await sender.prepareTransactionRequest({
      to: stranger(),
      value: 3n,
      ...fields,
    });
    return { request, raw: await sender.signTransaction(request) };
  };
  await step('sendRawTransactionSync answers with the receipt', async () => {
    const { raw, request } = await signed();
    // anvil takes no time limit.
    const timeout = IS_ANVIL ? undefined : 10_000;
    const receipt = await client.sendRawTransactionSync({ serializedTransaction: raw, timeout });
    assert.equal(receipt.status, 'success');
    assert.equal(receipt.gasUsed, 21_000n);
    assert.equal(receipt.to, request.to.toLowerCase());
    assert.equal(receipt.from, sender.account.address.toLowerCase());
    const nonce = await client.getTransactionCount({
      address: sender.account.address,
      blockTag: 'pending',
    });
    assert.equal(nonce, request.nonce + 1);
    const balance = await client.getBalance({ address: request.to, blockTag: 'pending' });
    assert.equal(balance, 3n);
    const sealed = await client.waitForTransactionReceipt({ hash: receipt.transactionHash });
    assert.equal(sealed.blockNumber, receipt.blockNumber);
    assert.equal(sealed.transactionIndex, receipt.transactionIndex);
  });
  if (!IS_ANVIL) {
    await step(
      'sendRawTransactionSync gives up on a nonce gap with the hash (EIP-7966)',
      async () => {
        const { address } = sender.account;
        const far = await client.getTransactionCount({ address, blockTag: 'pending' });
        const { raw } = await signed({ nonce: far + 5 });
        const { error } = await rpc('eth_sendRawTransactionSync', [raw, 300]);
        assert.ok([4, 5, 6].includes(error.code), JSON.stringify(error));
        assert.equal(
          (await rpc('txpool_contentFrom', [address])).result.queued[far + 5].hash,
          keccak256(raw),
        );
      },
    );
  }
  await step('sendTransactionSync of a failing call gives its failed receipt', async () => {
    const vault = artifact('Vault');
    const to = await deploy(sender, vault);
    const data = encodeFunctionData({ abi: vault.abi, functionName: 'withdraw', args: [1n] });
    const receipt = await sender.sendTransactionSync({
      to,
      data,
      gas: 100_000n,
      throwOnReceiptRevert: false,
    });
    assert.equal(receipt.status, 'reverted');
  });
  await step('sendRawTransactionSync sent again changes nothing', async () => {
    const { raw } = await signed();
    const first = await client.sendRawTransactionSync({ serializedTransaction: raw });
    const { result, error } = await rpc('eth_sendRawTransactionSync', [raw]);
    // A client that retries gets its receipt; anvil refuses.
    if (IS_ANVIL) assert.match(error.message, /nonce too low|already imported/);
    else assert.equal(result?.transactionHash, first.transactionHash, JSON.stringify(error));
  });
}

async function delegation(step) {
  const code = artifact('BatchAccount');
  const implementation = await deploy(sender, code);
  const signer = privateKeyToAccount(generatePrivateKey());
  const eoa = wallet(signer);
  await mined(await sender.sendTransaction({ to: signer.address, value: parseEther('2') }));
  const recipients = [stranger(), stranger()];
  const batch = encodeFunctionData({
    abi: code.abi,
    functionName: 'execute',
    args: [recipients.map((to, index) => ({ to, value: BigInt(index + 1), data: '0x' }))],
  });

  await step('a type-4 transaction delegates its sender and runs the code', async () => {
    const authorization = await eoa.signAuthorization({
      contractAddress: implementation,
      executor: 'self',
    });
    const hash = await eoa.sendTransaction({
      to: signer.address,
      data: batch,
      authorizationList: [authorization],
    });
    const receipt = await mined(hash);
    assert.equal(receipt.type, 'eip7702');
    assert.equal(receipt.logs.length, 1);
    assert.equal(receipt.logs[0].address, signer.address.toLowerCase());
    const designator = concatHex(['0xef0100', implementation]);
    assert.equal(await client.getCode({ address: signer.address }), designator.toLowerCase());
    assert.equal(await client.getBalance({ address: recipients[0] }), 1n);
    assert.equal(await client.getBalance({ address: recipients[1] }), 2n);
    // The transaction and the authorization each take a nonce.
    assert.equal(await client.getTransactionCount(signer), 2);
    const transaction = await client.getTransaction({ hash });
    assert.equal(transaction.typeHex, '0x4');
    assert.equal(transaction.authorizationList.length, 1);
    assert.equal(transaction.authorizationList[0].address, implementation.toLowerCase());
  });
  await step('a sponsor sends the authorization of another account', async () => {
    const sponsored = privateKeyToAccount(generatePrivateKey());
    const authorization = await wallet(sponsored).signAuthorization({
      contractAddress: implementation,
    });
    await mined(
      await sender.sendTransaction({
        to: account(9).address,
        value: 1n,
        authorizationList: [authorization],
      }),
    );
    assert.equal(
      await client.getCode({ address: sponsored.address }),
      concatHex(['0xef0100', implementation]).toLowerCase(),
    );
    assert.equal(await client.getTransactionCount(sponsored), 1);
  });
  await step('a delegation to zero clears the code', async () => {
    const contractAddress = '0x0000000000000000000000000000000000000000';
    const authorization = await eoa.signAuthorization({ contractAddress, executor: 'self' });
    await mined(
      await eoa.sendTransaction({ to: signer.address, authorizationList: [authorization] }),
    );
    assert.equal(await client.getCode({ address: signer.address }), undefined);
  });
}

await scenario('viem transactions', async (step) => {
  await fees(step);
  await types(step);
  await synchronous(step);
  await delegation(step);
});
