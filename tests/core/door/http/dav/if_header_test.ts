/** Tests the If header: RFC 4918, section 10.4. */
import assert from "node:assert/strict";
import { parseIf } from "../../../../../core/door/http/dav/if_header.ts";
import { fails } from "../../../_setup.ts";

Deno.test("the examples of RFC 4918 are parsed", () => {
  // 10.4.6
  assert.deepEqual(
    parseIf(
      `(<urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2>
       ["I am an ETag"])
       (["I am another ETag"])`,
    ),
    [
      {
        resource: undefined,
        conditions: [
          {
            not: false,
            token: "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2",
            etag: undefined,
          },
          { not: false, token: undefined, etag: '"I am an ETag"' },
        ],
      },
      {
        resource: undefined,
        conditions: [{ not: false, token: undefined, etag: '"I am another ETag"' }],
      },
    ],
  );
  // 10.4.7 and 10.4.8
  const [first] = parseIf("(Not <urn:uuid:181d4fae> <urn:uuid:58f202ac>)");
  assert.deepEqual(first.conditions.map(({ not }) => not), [true, false]);
  assert.equal(parseIf("(<urn:uuid:1>) (Not <DAV:no-lock>)")[1].conditions[0].not, true);
  // 10.4.9 and 10.4.10
  const lists = parseIf(
    `</resource1> (<urn:uuid:1> [W/"A weak ETag"]) (["strong ETag"]) <http://www.example.com/b> (["x"])`,
  );
  assert.deepEqual(lists.map(({ resource }) => resource), [
    ...["/resource1", "/resource1", "http://www.example.com/b"],
  ]);
  assert.equal(lists[0].conditions[1].etag, 'W/"A weak ETag"');
});

Deno.test("malformed headers are refused", async () => {
  const bad = [
    ...[
      "",
      " ",
      "()",
      "(",
      ")",
      "<a:b>",
      "(<a:b>",
      "<a:b>)",
      "(a:b)",
      "(<a:b>))",
      "(<>)",
      "(<nocolon>)",
    ],
    ...[
      "(Not)",
      "(Not Not <a:b>)",
      "(Not(<a:b>))",
      '("x")',
      "([x])",
      '(["x)',
      '(["x"',
      "(<a:b>) <c:d>",
    ],
    ...[
      "<a:b> <c:d> (<e:f>)",
      "(<a:b>) <c:d> (<e:f>)",
      "x (<a:b>)",
      "(<a:b>),(<c:d>)",
      "(<a<b:c>>)",
    ],
  ];
  for (const header of bad) await fails("usage", () => parseIf(header), /If header/);
});

Deno.test("a long header is parsed in linear time", () => {
  const many = '(<a:b> ["x"] Not <c:d>)'.repeat(600);
  assert.equal(parseIf(many).length, 600);
});
