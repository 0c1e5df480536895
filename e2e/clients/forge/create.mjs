// `forge create` of the OpenZeppelin ERC-20, the receipt and the deployed contract checked.
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { getContract, getContractAddress, parseEther } from 'viem';

import { artifact, assertDeployedCode } from '../harness/artifacts.mjs';
import { forge } from '../harness/foundry.mjs';
import { RPC_URL, account } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';
import { client } from '../harness/viem.mjs';

const deployer = account(0);
const token = artifact('Token');
const cap = parseEther('5000000');
const directory = mkdtempSync(join(tmpdir(), 'cairn-forge-create-'));
// A compile of its own: the command as a developer runs it the first time.
const env = { FOUNDRY_OUT: join(directory, 'out'), FOUNDRY_CACHE_PATH: join(directory, 'cache') };

const create = (...flags) =>
  forge(
    [
      'create',
      'src/sample/Token.sol:Token',
      '--rpc-url',
      RPC_URL,
      '--private-key',
      deployer.privateKey,
      ...flags,
      '--json',
      '--constructor-args',
      'Sample',
      'SMPL',
      String(cap),
      deployer.address,
    ],
    env,
  );

await scenario('forge create', async (step) => {
  await step('a dry run sends nothing', async () => {
    const nonce = await client.getTransactionCount(deployer);
    const output = await create();
    assert.match(output, /"transaction":/);
    assert.equal(await client.getTransactionCount(deployer), nonce);
  });

  for (const flags of [[], ['--legacy']]) {
    const nonce = await client.getTransactionCount(deployer);
    const created = await step(`create ${flags.join(' ')}`, async () => {
      const output = await create('--broadcast', ...flags);
      return JSON.parse(output.slice(output.indexOf('{')));
    });
    await step('the reported address and transaction are on the chain', async () => {
      assert.equal(created.deployer, deployer.address);
      const expected = getContractAddress({ from: deployer.address, nonce: BigInt(nonce) });
      assert.equal(created.deployedTo, expected);
      const hash = created.transactionHash;
      const receipt = await client.getTransactionReceipt({ hash });
      assert.equal(receipt.status, 'success');
      assert.equal(receipt.contractAddress.toLowerCase(), expected.toLowerCase());
      assert.equal(receipt.to, null);
      assert.equal(receipt.type, flags.length === 0 ? 'eip1559' : 'legacy');
      // OwnershipTransferred(0, owner) of the constructor is the only event.
      assert.equal(receipt.logs.length, 1);
      assert.equal(receipt.logs[0].address.toLowerCase(), expected.toLowerCase());
      const transaction = await client.getTransaction({ hash });
      assert.ok(transaction.input.startsWith(token.bytecode));
      assert.equal(transaction.nonce, nonce);
    });
    await step('the contract has the compiled code and the given state', async () => {
      assertDeployedCode(await client.getCode({ address: created.deployedTo }), token);
      const { read } = getContract({ address: created.deployedTo, abi: token.abi, client });
      assert.equal(await read.name(), 'Sample');
      assert.equal(await read.symbol(), 'SMPL');
      assert.equal(await read.cap(), cap);
      assert.equal(await read.owner(), deployer.address);
      const domain = await read.eip712Domain();
      assert.equal(domain[3], BigInt(client.chain.id));
      assert.equal(domain[4], created.deployedTo);
    });
  }
});
