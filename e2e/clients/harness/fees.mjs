// What a transaction cost its sender, from the JSON of its receipt.

/**
 * Execution fee, and on an OP chain the L1 data fee and the operator fee. The latter is
 * `gasUsed * scalar * 100 + constant` since Jovian.
 */
export function feePaid(receipt) {
  const field = (name) => BigInt(receipt[name] ?? 0);
  const execution = field('gasUsed') * field('effectiveGasPrice');
  const operator =
    field('gasUsed') * field('operatorFeeScalar') * 100n + field('operatorFeeConstant');
  return execution + field('l1Fee') + operator;
}
