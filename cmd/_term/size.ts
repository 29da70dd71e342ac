export { baseOf, formatLimit, formatSize, parseSize } from "../../core/account/size.ts";
