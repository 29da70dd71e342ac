/** The frame of all admin pages. */
import type { Child } from "hono/jsx";
import { Shell } from "./layout.tsx";
import { noticeText } from "./messages.ts";
import type { UserView } from "./view.ts";

const tabs = [
  ["overview", "/admin", "Overview"],
  ["accounts", "/admin/accounts", "Accounts"],
  ["connections", "/admin/connections", "Connections"],
  ["bans", "/admin/bans", "Bans"],
] as const;
export type Tab = typeof tabs[number][0];

export function AdminShell(
  { view, title, tab, children }: { view: UserView; title: string; tab: Tab; children: Child },
) {
  return (
    <Shell view={view} title={title} section="admin">
      <div class="head" data-notice={noticeText(view.query.get("notice"))}>
        <nav class="tabs" aria-label="Admin">
          <ul>
            {tabs.map(([name, href, label]) => (
              <li>
                <a href={href} aria-current={name === tab ? "page" : undefined}>{label}</a>
              </li>
            ))}
          </ul>
        </nav>
      </div>
      {children}
    </Shell>
  );
}
