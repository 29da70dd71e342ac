/** The overview of the server: traffic, storage, facts. */
import { formatDuration } from "../../../duration.ts";
import { formatSize } from "../../../size.ts";
import { type Rate, type Span, spans } from "../../../watch/history.ts";
import type { Counts } from "../../../watch/metrics.ts";
import { sumDoors, sumNodes } from "../../../watch/nodes.ts";
import type { CertificateState, NodeTable, Snapshot } from "../../../session/status.ts";
import { Chart } from "./chart.tsx";
import { counted } from "../../../counted.ts";
import { Fact, Time } from "./layout.tsx";
import { Nodes } from "./nodes.tsx";

interface OverviewProps {
  readonly snapshot: Snapshot;
  readonly rates: readonly Rate[];
  readonly span: Span;
  /** The nodes that share the storage; undefined on one machine. */
  readonly nodes: NodeTable | undefined;
}

/** On shared storage the tiles show sums over all nodes; chart, facts and doors are those of one node. */
export function Overview({ snapshot, rates, span, nodes }: OverviewProps) {
  const sums = nodes && sumNodes(nodes.nodes);
  const ofNode = snapshot.node ? ` of node ${snapshot.node.name}` : "";
  return (
    <div class="stack" id="overview" data-live>
      <h1 class="sr">Overview</h1>
      <Tiles
        snapshot={snapshot}
        now={sums?.rates ?? rates.at(-1)}
        counts={sums?.counts ?? snapshot}
      />
      {nodes && sums && <Nodes nodes={nodes.nodes} sums={sums} />}
      <section class="card stack" aria-labelledby="traffic">
        <div class="row">
          <h2 class="grow" id="traffic">Traffic{ofNode}</h2>
          <nav class="tabs small" aria-label="Span">
            <ul>
              {spans.map((one) => (
                <li>
                  <a
                    href={one === "hour" ? "/admin" : `/admin?span=${one}`}
                    aria-current={one === span ? "true" : undefined}
                  >
                    Last {one}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        </div>
        <Chart rates={rates} span={span} now={snapshot.now} />
      </section>
      <div class="pair">
        <Storage snapshot={snapshot} />
        <Server snapshot={snapshot} />
      </div>
      <Doors snapshot={snapshot} title={`Doors${ofNode}`} />
    </div>
  );
}

interface TilesProps {
  readonly snapshot: Snapshot;
  /** The current rates. */
  readonly now: Pick<Rate, "received" | "sent"> | undefined;
  readonly counts: Pick<Counts, "doors">;
}

function Tiles({ snapshot, now, counts }: TilesProps) {
  const { accounts, uploads, banned } = snapshot;
  const { open } = sumDoors(counts);
  const tiles = [
    ["Received", `${formatSize(now?.received ?? 0)}/s`, "/admin/connections"],
    ["Sent", `${formatSize(now?.sent ?? 0)}/s`, "/admin/connections"],
    ["Connected", String(open), "/admin/connections"],
    ["Active uploads", String(uploads.moving), "/admin/connections"],
    ["Accounts", String(accounts.count), "/admin/accounts"],
    ["Bans", String(banned), "/admin/bans"],
  ];
  return (
    <ul class="tiles">
      {tiles.map(([label, value, href]) => (
        <li>
          <a class="card" href={href}>
            <span class="soft">{label}</span>
            <b>{value}</b>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Storage({ snapshot: { accounts, uploads } }: { snapshot: Snapshot }) {
  return (
    <section class="card stack">
      <h2>Storage</h2>
      <dl class="facts">
        <Fact term="Charged to accounts">{formatSize(accounts.used)}</Fact>
        <Fact term="Reserved for uploads">{formatSize(accounts.reserved)}</Fact>
        <Fact term="Partial uploads">
          {counted(uploads.unfinished, "upload")}, {formatSize(uploads.staged)} reserved
        </Fact>
      </dl>
    </section>
  );
}

function Server({ snapshot }: { snapshot: Snapshot }) {
  const { version, started, now, workers, restarts, memory, logins, node, certificate } = snapshot;
  return (
    <section class="card stack">
      <h2>{node ? `Node ${node.name}` : "Server"}</h2>
      <dl class="facts">
        <Fact term="Version">{version || "unknown"}</Fact>
        <Fact term="Uptime">{formatDuration(now - started)}</Fact>
        <Fact term="Started">
          <Time at={started} />
        </Fact>
        <Fact term="Workers">
          {workers}
          {restarts > 0 && `, ${counted(restarts, "restart")}`}
        </Fact>
        <Fact term="Memory">{formatSize(memory)}</Fact>
        <Fact term="Logins">{logins.ok} succeeded, {logins.failed} failed</Fact>
        {certificate && <CertificateFacts {...certificate} />}
      </dl>
    </section>
  );
}

function CertificateFacts({ until, renewal }: CertificateState) {
  return (
    <>
      {until !== undefined && (
        <Fact term="Certificate ends">
          <Time at={until} />
        </Fact>
      )}
      {renewal && (
        <Fact term={renewal.failures > 0 ? "Next try to renew it" : "Next renewal"}>
          <Time at={renewal.next} />
        </Fact>
      )}
      {renewal?.failed && (
        <Fact term="Failed renewals">
          {renewal.failures} in a row, the last at <Time at={renewal.failed.at} />:{" "}
          {renewal.failed.why}
        </Fact>
      )}
    </>
  );
}

/** Lists the doors that had a connection. */
function Doors({ snapshot, title }: { snapshot: Snapshot; title: string }) {
  const doors = snapshot.doors.filter(({ opened, refused }) => opened + refused > 0);
  return (
    <section class="card stack" aria-labelledby="doors">
      <h2 id="doors">{title}</h2>
      <div class="wrap" tabindex={0} role="group" aria-labelledby="doors">
        <table class="plain">
          <thead>
            <tr>
              <th scope="col">Door</th>
              {["Open", "Accepted", "Refused", "Received", "Sent"].map((title) => (
                <th scope="col" class="num">{title}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {doors.map(({ door, open, opened, refused, received, sent }) => (
              <tr>
                <th scope="row">{door}</th>
                {[open, opened, refused, formatSize(received), formatSize(sent)].map((value) => (
                  <td class="num">{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
