/** The table of the shell's commands, in the order of its help. */
import { grow, left, passwd, register } from "./account.ts";
import { cd, digest, lcd, listOwn, listPublic, lpwd, ls, pwd, stat } from "./browse.ts";
import { claim, cp, mkdir, mv, publish, rm } from "./change.ts";
import { help, menu } from "./help.ts";
import { clear, lls, runHere } from "./local.ts";
import type { Row } from "./command.ts";
import { cat, get, put } from "./transfer.ts";

const recursive = { r: "folders, too, with their contents" };
const transfer = { ...recursive, u: "only files whose size or time differs" };

export const rows: readonly Row[] = [
  {
    name: "ls",
    aliases: ["dir"],
    args: "[PATH]",
    takes: ["remote"],
    flags: { l: "size, time (Z is UTC) and owner, too", ...recursive },
    brief: "list the working folder, or another one",
    run: ls,
  },
  { name: "mine", flags: recursive, brief: "list your files", run: listOwn },
  { name: "public", flags: recursive, brief: "list the files in /public", run: listPublic },
  { name: "left", aliases: ["quota", "df"], brief: "show how much space is left", run: left },
  {
    name: "get",
    args: "REMOTE [LOCAL]",
    takes: ["remote", "local"],
    flags: transfer,
    brief: "fetch a file, or with -r a folder",
    about: "LOCAL is a folder or a new name, or - to show the file here. Ctrl-C stops it; the\n" +
      "same command resumes it.",
    run: get,
  },
  {
    name: "put",
    args: "LOCAL [REMOTE]",
    takes: ["local", "remote"],
    flags: transfer,
    brief: "send a file, or with -r a folder",
    about: "REMOTE is a folder or a new name. Ctrl-C stops it; the same command resumes it.",
    run: put,
  },
  { name: "cat", args: "REMOTE", takes: ["remote"], brief: "show a file here", run: cat },
  {
    name: "publish",
    args: "NAME [AS]",
    takes: ["home", "public"],
    brief: "copy a file of yours to /public, for everyone",
    about:
      "The copy is made at the server, and charged to you. It replaces a file that you have\n" +
      "published under that name, but not the file of another account.",
    run: publish,
  },
  {
    name: "claim",
    args: "NAME [AS]",
    takes: ["public", "home"],
    flags: { f: "replace an existing file" },
    brief: "copy a public file to your /home",
    about: "The copy is made at the server, and charged to you like any other file.",
    run: claim,
  },
  {
    name: "rm",
    aliases: ["del"],
    args: "PATH...",
    takes: ["remote"],
    flags: recursive,
    brief: "remove files and empty folders for good",
    run: rm,
  },
  {
    name: "mv",
    aliases: ["rename"],
    args: "SRC... DEST",
    takes: ["remote"],
    flags: { n: "fail rather than replace a file" },
    brief: "move or rename files and folders",
    run: mv,
  },
  {
    name: "cp",
    aliases: ["copy"],
    args: "SRC... DEST",
    takes: ["remote"],
    flags: { ...recursive, n: "fail rather than replace a file" },
    brief: "copy files and folders at the server",
    run: cp,
  },
  {
    name: "mkdir",
    args: "PATH...",
    takes: ["remote-folder"],
    flags: { p: "the folders above them, too" },
    brief: "make folders",
    run: mkdir,
  },
  {
    name: "cd",
    args: "[PATH]",
    takes: ["remote-folder"],
    brief: "change the folder at the server; default: /home",
    run: cd,
  },
  { name: "pwd", brief: "show the folder at the server", run: pwd },
  {
    name: "lcd",
    args: "[PATH]",
    takes: ["local-folder"],
    brief: "change the folder of this machine; default: ~",
    run: lcd,
  },
  { name: "lpwd", brief: "show the folder of this machine", run: lpwd },
  {
    name: "lls",
    args: "[PATH]",
    takes: ["local-folder"],
    brief: "list a folder of this machine",
    run: lls,
  },
  {
    name: "!",
    args: "COMMAND",
    takes: ["text"],
    brief: "run a command of this machine's shell: !ls -l",
    about: "The rest of the line is the command. It runs in the local folder.",
    run: runHere,
  },
  {
    name: "stat",
    args: "PATH...",
    takes: ["remote"],
    brief: "show the facts about a file or folder",
    run: stat,
  },
  {
    name: "digest",
    args: "NAME [sha256|md5]",
    takes: ["remote", "algorithm"],
    brief: "show a file's digest, as sha256sum or md5sum would",
    run: digest,
  },
  {
    name: "grow",
    args: "SIZE",
    takes: ["text"],
    brief: "ask for this quota, like 20GiB",
    run: grow,
  },
  {
    name: "passwd",
    brief: "change your password",
    about: "Asks for the new password. A script sets BARGE_NEW_PASSWORD.",
    run: passwd,
  },
  {
    name: "register",
    args: "NAME [SIZE]",
    takes: ["text", "text"],
    brief: "make another account, where the server allows it",
    about: "Asks for its password. A script sets BARGE_NEW_PASSWORD. You stay logged in as\n" +
      "before; `barge shell --register` makes an account and logs in with it.",
    run: register,
  },
  { name: "clear", brief: "empty the screen", run: clear },
  {
    name: "menu",
    brief: "show common commands by number",
    about: "A number alone on a line runs its command, and prompts for the arguments.",
    run: menu,
  },
  {
    name: "help",
    aliases: ["?"],
    args: "[COMMAND]",
    takes: ["command"],
    brief: "list the commands, or explain one",
    run: help,
  },
  {
    name: "exit",
    aliases: ["quit", "bye"],
    brief: "leave; so does Ctrl-D",
    run: () => {},
    leaves: true,
  },
];
