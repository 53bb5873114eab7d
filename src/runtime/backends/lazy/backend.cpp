// The backend `autoray.lazy`: one kernel for every op, the recorder (runtime/lazy/recorder.h).
#include "runtime/backend.h"

namespace autoray::runtime {

constinit const Backend kLazyBackend = {
    .name = "autoray.lazy",
    .based_on = "",
    .library = "autoray",
    .note = "records every operation as a node of a graph; compute() runs it on the backend of its arrays",
    .kernels = {},
    .loops = {},
    .hosts = {},
};

}  // namespace autoray::runtime
