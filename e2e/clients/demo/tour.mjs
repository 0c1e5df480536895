// A tour of a running devnet: what happens to a user's ether, contract and transactions, and what
// anyone can check of it. Every number that is printed was seen.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import {
  createWalletClient,
  encodeFunctionData,
  formatEther,
  http,
  parseAbi,
  parseAbiItem,
  parseEther,
  slice,
  toHex,
} from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { walletActionsL2 } from 'viem/op-stack';

import {
  contracts,
  depositGas,
  deposited,
  derivedAlike,
  devnet,
  isReady,
  l2,
  minedL1,
  minedL2,
  publicL1,
  publicL2,
  verifier,
  walletL1,
} from '../harness/devnet.mjs';
import { cast, forge } from '../harness/foundry.mjs';
import { account, eventually } from '../harness/node.mjs';

const TRANSFERS = 25;
const inbox = contracts.l1.BatchInbox;
const appended = parseAbiItem(
  'event CertificateBatchAppended(uint256 indexed batch, bytes32 indexed headerHash, bytes32 signersHash)',
);
const inboxAbi = parseAbi([
  'function batchCount() view returns (uint256)',
  'function verifyRow(uint256 batch, uint256 row, bytes32 versionedHash, bytes32[] proof) view returns (bool)',
  'function verifyElement(uint256 batch, uint256 row, uint256 column, bytes32 element, bytes commitment, bytes opening, bytes32[] proof) view returns (bool)',
]);

let chapter = 0;
const title = (text) => console.log(`\n${(chapter += 1)}. ${text}`);
const say = (text) => console.log(`   ${text}`);
const since = (start) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
const readInbox = (functionName, args) =>
  publicL1.readContract({ address: inbox, abi: inboxAbi, functionName, args });

async function deposit(user) {
  title('A deposit from L1');
  const value = parseEther('2');
  const start = performance.now();
  const payer = walletL1(7);
  const args = await publicL2.buildDepositTransaction({
    account: account(7).address,
    mint: value,
    to: user.address,
  });
  const l1Receipt = await minedL1(await payer.depositTransaction({ ...args, gas: depositGas }));
  say(`${formatEther(value)} ether for the new account ${user.address} go into the portal`);
  say(`${contracts.l1.OptimismPortal} in L1 block ${l1Receipt.blockNumber}.`);
  const receipt = await deposited(l1Receipt);
  const balance = await publicL2.getBalance({ address: user.address });
  say(`L2 block ${receipt.blockNumber} holds them: the balance is ${formatEther(balance)} ether,`);
  say(`${since(start)} after the transaction was sent.`);
}

async function deploy(key, user) {
  title('A contract, deployed with forge');
  const start = performance.now();
  const output = await forge([
    'create',
    'src/sample/Token.sol:Token',
    ...['--rpc-url', devnet.l2.rpc, '--private-key', key, '--broadcast', '--json'],
    ...['--constructor-args', 'Demo', 'DEMO', String(parseEther('1000000')), user.address],
  ]);
  const { deployedTo, transactionHash } = JSON.parse(output.slice(output.indexOf('{')));
  const receipt = await minedL2(transactionHash);
  say(`Token is at ${deployedTo}, in L2 block ${receipt.blockNumber}, for ${receipt.gasUsed} gas`);
  say(`and ${formatEther(receipt.l1Fee)} ether of L1 data fee. forge took ${since(start)}, compiling included.`);
  return deployedTo;
}

async function transact(key, user, token) {
  title('Transactions');
  await cast(
    ...['send', '--rpc-url', devnet.l2.rpc, '--private-key', key, token],
    ...['mint(address,uint256)', user.address, String(parseEther('1000'))],
  );
  say(`cast minted 1000 DEMO. Now ${TRANSFERS} transfers, one behind the other, each answered with`);
  const abi = parseAbi(['function transfer(address to, uint256 amount) returns (bool)']);
  const wallet = createWalletClient({ account: user, chain: l2, transport: http(devnet.l2.rpc) });
  const times = [];
  let last;
  let nonce = await publicL2.getTransactionCount({ address: user.address });
  for (let sent = 0; sent < TRANSFERS; sent += 1) {
    const data = encodeFunctionData({ abi, functionName: 'transfer', args: [account(sent % 10).address, 1n] });
    const request = await wallet.prepareTransactionRequest({ to: token, data, nonce });
    const raw = await wallet.signTransaction(request);
    const start = performance.now();
    last = await publicL2.request({ method: 'eth_sendRawTransactionSync', params: [raw] });
    times.push(performance.now() - start);
    if (last.status !== '0x1') throw new Error(`transfer ${sent} reverted`);
    nonce += 1;
  }
  times.sort((a, b) => a - b);
  const middle = times[times.length >> 1].toFixed(1);
  say(`its receipt when it is executed and on disk: ${middle} ms in the middle, ${times.at(-1).toFixed(1)} ms at most.`);
  const { blockNumber } = await minedL2(last.transactionHash);
  say(`The last one is in L2 block ${blockNumber}.`);
  return blockNumber;
}

// The certificate begins with a header of 90 bytes; ARCHITECTURE.md has the table.
function describe(certificate) {
  const number = (from, length) => Number(slice(certificate, from, from + length));
  const signers = slice(certificate, 186);
  const count = [...BigInt(signers).toString(2)].filter((bit) => bit === '1').length;
  return { rows: number(4, 2), columns: number(6, 2), bytes: number(9, 4), signers: count };
}

async function batch(blockNumber, countBefore) {
  title('The batch on L1');
  const start = performance.now();
  await derivedAlike(blockNumber);
  say(`${since(start)} later the verifier has derived L2 block ${blockNumber} from L1 and the DA network,`);
  const { hash } = await verifier.getBlock({ blockNumber });
  say(`with the sequencer's hash ${hash}.`);
  const logs = await publicL1.getLogs({ address: inbox, event: appended, fromBlock: 0n });
  // The newest one is what brought the block, or what followed it.
  const log = logs.at(-1);
  say(`The inbox has ${(await readInbox('batchCount', [])) - countBefore} batches more than before the transfers.`);
  const [transaction, receipt] = await Promise.all([
    publicL1.getTransaction({ hash: log.transactionHash }),
    publicL1.getTransactionReceipt({ hash: log.transactionHash }),
  ]);
  const certificate = slice(transaction.input, 2);
  const { rows, columns, bytes, signers } = describe(certificate);
  say(`Batch ${log.args.batch} went to the inbox ${inbox} in L1 block ${log.blockNumber}:`);
  say(`${bytes} bytes of frames as ${rows} ${rows === 1 ? 'row' : 'rows'} of ${columns} elements, kept by the DA network. L1 has a`);
  say(`certificate of ${certificate.length / 2 - 1} bytes, signed by ${signers} of ${devnet.da.length} operators, and checked it for ${receipt.gasUsed} gas.`);
  return { log, certificate, bytes };
}

async function check({ log, certificate, bytes }) {
  title('Anyone checks it on L1');
  const gateway = async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const answer = await (await fetch(devnet.gateway.url, { method: 'POST', body })).json();
    if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  };
  const element = Math.floor(bytes / 31 / 2);
  const opening = await gateway('da_proof', [certificate, element]);
  const proof = [...opening.path, log.args.signersHash];
  const place = [log.args.batch, BigInt(opening.row)];
  const row = await readInbox('verifyRow', [...place, opening.versionedHash, proof]);
  const at = [...place, BigInt(opening.column), opening.element, opening.commitment, opening.proof, proof];
  const whole = await readInbox('verifyElement', at);
  say(`The gateway proves element ${element} of the batch, ${slice(opening.element, 1)}.`);
  say(`BatchInbox.verifyRow says ${row}, verifyElement says ${whole}.`);
  const changed = [...at];
  changed[3] = toHex(BigInt(opening.element) ^ 1n, { size: 32 });
  const lie = await readInbox('verifyElement', changed).catch(() => false);
  say(`With one bit changed it says ${lie}.`);
  if (!row || !whole || lie) throw new Error('L1 judges otherwise');
}

async function derive() {
  title('A verifier from nothing');
  const args = ['verify', '--data-dir', process.env.DEVNET_DIR];
  const { stdout } = await promisify(execFile)(process.env.CAIRN_DEVNET, args);
  say('A verifier with an empty disk, that knows L1 and the DA network and not the sequencer:');
  say(`${stdout.trim()}.`);
}

async function withdraw(user) {
  title('A withdrawal to L1');
  const start = performance.now();
  const value = parseEther('0.5');
  const onL2 = createWalletClient({ account: user, chain: l2, transport: http(devnet.l2.rpc) });
  const to = privateKeyToAccount(generatePrivateKey()).address;
  const args = await publicL1.buildInitiateWithdrawal({ to, value });
  const receipt = await minedL2(await onL2.extend(walletActionsL2()).initiateWithdrawal(args));
  say(`${formatEther(value)} ether for ${to} are burnt in L2 block ${receipt.blockNumber}.`);
  const { output, withdrawal } = await publicL1.waitToProve({ receipt, targetChain: l2 });
  say(`${since(start)}: an output root for L2 block ${output.l2BlockNumber} is proposed, ${output.outputRoot}.`);
  const helper = walletL1(7);
  const proven = await publicL2.buildProveWithdrawal({ output, withdrawal });
  const { gasUsed } = await minedL1(await helper.proveWithdrawal(proven));
  say(`${since(start)}: the portal takes the proof, for ${gasUsed} gas.`);
  await eventually('ready to be finalized', () => isReady(receipt), 180_000);
  await minedL1(await helper.finalizeWithdrawal({ targetChain: l2, withdrawal }));
  const balance = await publicL1.getBalance({ address: to });
  say(`${since(start)}: the output root stood its time; ${to} has ${formatEther(balance)} ether on L1.`);
}

async function heads() {
  const [one, two] = await Promise.all([publicL1.getBlockNumber(), publicL2.getBlockNumber()]);
  say(`L1 is at block ${one}, L2 at block ${two}.`);
}

const key = generatePrivateKey();
const user = privateKeyToAccount(key);
console.log(`A devnet with ${devnet.da.length} DA operators, L1 chain ${devnet.l1.chainId}, L2 chain ${devnet.l2.chainId}`);
await heads();
await deposit(user);
const token = await deploy(key, user);
const countBefore = await readInbox('batchCount', []);
const last = await transact(key, user, token);
await check(await batch(last, countBefore));
await derive();
await withdraw(user);
console.log('');
await heads();
