/** The frame of all admin pages. */
import type { Child } from "hono/jsx";
import { PageHead, Shell } from "./layout.tsx";
import type { UserView } from "./view.ts";

const tabs = [
  ["overview", "/admin", "Overview"],
  ["accounts", "/admin/accounts", "Accounts"],
  ["connections", "/admin/connections", "Connections"],
  ["bans", "/admin/bans", "Bans"],
  ["audit", "/admin/audit", "Audit"],
] as const;
export type Tab = typeof tabs[number][0];

export function AdminShell(
  { view, title, tab, children }: { view: UserView; title: string; tab: Tab; children: Child },
) {
  return (
    <Shell view={view} title={title} section="admin">
      <PageHead view={view}>
        <nav class="tabs" aria-label="Admin">
          <ul>
            {tabs.map(([name, href, label]) => (
              <li>
                <a href={href} aria-current={name === tab ? "page" : undefined}>{label}</a>
              </li>
            ))}
          </ul>
        </nav>
      </PageHead>
      {children}
    </Shell>
  );
}
