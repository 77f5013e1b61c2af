// The documentation reads without any of this; examples are copied with it.

import { copyOnClick } from "./copy.js";

copyOnClick();
