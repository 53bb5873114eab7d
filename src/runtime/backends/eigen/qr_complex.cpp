#include "runtime/backends/eigen/qr.h"

template bool autoray::runtime::eigen_qr_factor(Workspace&, int, int, EigenComplex*, EigenComplex*);
template bool autoray::runtime::eigen_qr_form(Workspace&, int, int, int, EigenComplex*, const EigenComplex*);
