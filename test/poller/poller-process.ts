import { startPoller } from "../../services/poller/main.js";
import { loadConfig } from "../../services/shared/config.js";
import { runService } from "../../services/shared/lifecycle.js";

/** The poller as a process of its own, to be killed: `node poller-process.js CONFIG_FILE`. */
process.exitCode = await runService("poller", loadConfig(process.argv[2]), startPoller);
