/** Where the servers of a benchmark run. */

export interface Site {
  /** The address of this site's servers. */
  readonly host: string;
  /** Returns the program and arguments that run a program there. */
  command(program: string, args: readonly string[]): [string, string[]];
}

/** This machine. */
export const here: Site = {
  host: "127.0.0.1",
  command: (program, args) => [program, [...args]],
};
