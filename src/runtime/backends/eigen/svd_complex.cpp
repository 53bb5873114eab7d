#include "runtime/backends/eigen/svd.h"

template bool autoray::runtime::eigen_svd(Workspace&, SvdVectors, int, int, EigenComplex*, double*, EigenComplex*,
                                          EigenComplex*);
