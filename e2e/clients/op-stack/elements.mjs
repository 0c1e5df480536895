// A contract on L1 reads 31 bytes out of a batch that the DA network keeps.
import assert from 'node:assert/strict';

import { concat, hexToBytes, parseAbi, parseAbiItem, slice, toHex } from 'viem';

import { artifact } from '../harness/artifacts.mjs';
import { contracts, devnet, minedL1, publicL1, walletL1 } from '../harness/devnet.mjs';
import { eventually } from '../harness/node.mjs';
import { scenario } from '../harness/scenario.mjs';

const wallet = walletL1(5);
const inbox = contracts.l1.BatchInbox;
const reader = artifact('ElementReader');
const inboxAbi = parseAbi([
  'function carrierOf(uint256 batch) view returns (uint8)',
  'function verifyRow(uint256 batch, uint256 row, bytes32 versionedHash, bytes32[] proof) view returns (bool)',
]);
const appended = parseAbiItem(
  'event CertificateBatchAppended(uint256 indexed batch, bytes32 indexed headerHash, bytes32 signersHash)',
);
const CERTIFICATE = 2;

async function gateway(method, params) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = await (await fetch(devnet.gateway.url, { method: 'POST', body })).json();
  assert.equal(answer.error, undefined, `${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}

const findBatch = () =>
  eventually(
    'a batch with a certificate',
    async () => {
      const logs = await publicL1.getLogs({ address: inbox, event: appended, fromBlock: 0n });
      return logs.at(-1);
    },
    120_000,
  );

await scenario('op-stack elements', async (step) => {
  const { address, batch, commitment, signersHash } = await step('a batch is on L1', async () => {
    const deployed = await minedL1(await wallet.deployContract({ ...reader, args: [inbox] }));
    const log = await findBatch();
    const { input } = await publicL1.getTransaction({ hash: log.transactionHash });
    assert.equal(slice(input, 0, 2), '0x0101');
    return {
      address: deployed.contractAddress,
      batch: log.args.batch,
      commitment: input,
      signersHash: log.args.signersHash,
    };
  });
  const inboxRead = (functionName, args) =>
    publicL1.readContract({ address: inbox, abi: inboxAbi, functionName, args });
  const payload = await step('the network gives back its frames', async () => {
    assert.equal(await inboxRead('carrierOf', [batch]), CERTIFICATE);
    const answer = await fetch(`${devnet.gateway.url}/get/${commitment.replace('0x0101', '0x01')}`);
    assert.equal(answer.status, 200, await answer.clone().text());
    const bytes = new Uint8Array(await answer.arrayBuffer());
    assert.equal(bytes[0], 0, 'version of the derivation');
    return bytes;
  });
  const elements = Math.ceil(payload.length / 31);
  for (const element of new Set([0, elements >> 1, elements - 1])) {
    await step(`element ${element} of ${elements} is read by a contract`, async () => {
      const opening = await gateway('da_proof', [slice(commitment, 2), element]);
      const proof = [...opening.path, signersHash];
      const row = BigInt(opening.row);
      assert.equal(await inboxRead('verifyRow', [batch, row, opening.versionedHash, proof]), true);
      const other = concat([slice(opening.versionedHash, 0, 31), '0xff']);
      assert.equal(await inboxRead('verifyRow', [batch, row, other, proof]), other === opening.versionedHash);

      const bytes = hexToBytes(slice(opening.element, 1));
      const expected = payload.slice(element * 31, (element + 1) * 31);
      assert.deepEqual(bytes.slice(0, expected.length), expected);
      const read = (word) => ({
        address,
        abi: reader.abi,
        functionName: 'read',
        args: [batch, row, BigInt(opening.column), word, opening.commitment, opening.proof, proof],
      });
      const word = toHex(bytes);
      bytes[30] ^= 1;
      await assert.rejects(
        publicL1.simulateContract({ ...read(toHex(bytes)), account: wallet.account }),
        /NotInBatch|precompile|revert/i,
      );
      await minedL1(await wallet.writeContract(read(word)));
      const known = await publicL1.readContract({
        address,
        abi: reader.abi,
        functionName: 'payloads',
        args: [batch, row, BigInt(opening.column)],
      });
      assert.equal(known, word);
    });
  }
});
