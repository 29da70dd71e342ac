/**
 * Leases: the right of one node to do work for all, in two columns of a row. A lease ends by the clock of the
 * database unless its holder renews it.
 *
 *   free -> held -> renewed ... -> released, or ended
 */

/** The columns of a lease: the holder's name, a text that may be null; and the end, a timestamptz. */
export interface LeaseColumns {
  readonly holder: string;
  readonly until: string;
}

/** The parts of SQL statements on a lease. */
export interface LeaseSql {
  /** The condition that a holder may take or renew the lease. */
  readonly isFree: string;
  /** The assignments that take or renew the lease. */
  readonly take: string;
}

/**
 * Returns the parts of SQL statements on a lease.
 *
 * @param columns with or without the name of their table
 * @param name the parameter with the holder's name: `$1`
 * @param ms the length of the lease in ms, as SQL: a number or a parameter
 *
 * @example
 * ```ts
 * import { leaseSql } from "./lease.ts";
 * const { isFree } = leaseSql({ holder: "leader", until: "until" }, "$2", 10_000);
 * if (isFree !== "(leader IS NULL OR leader = $2 OR until < now())") throw new Error(isFree);
 * ```
 */
export function leaseSql(
  { holder, until }: LeaseColumns,
  name: string,
  ms: number | string,
): LeaseSql {
  const assigned = (column: string) => column.slice(column.indexOf(".") + 1);
  return {
    isFree: `(${holder} IS NULL OR ${holder} = ${name} OR ${until} < now())`,
    take: `${assigned(holder)} = ${name}, ` +
      `${assigned(until)} = now() + ${ms}::float8 * interval '1 ms'`,
  };
}
