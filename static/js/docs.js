// The documentation reads without any of this; examples are copied with it.

import { copyOnClick } from "./live.js";

copyOnClick();
