/* What the shared library shows; everything else in it is hidden. */
#ifndef AUTORAY_EXPORT_H
#define AUTORAY_EXPORT_H

#define AUTORAY_API __attribute__((visibility("default")))

#endif
