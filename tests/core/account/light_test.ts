/** What is only noted waits for nobody: not for another program's transaction, nor for the disk. */
import assert from "node:assert/strict";
import { parseAuthorizedKey } from "../../../core/account/authorized_key.ts";
