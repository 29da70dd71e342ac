export { baseOf, formatLimit, formatSize, parseSize } from "../../core/size.ts";
