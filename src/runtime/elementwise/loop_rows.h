// Before a list of runtime/scalar: its rows become loops of the list `l`.
#define LOOP1(id, definition, ...) unary<definition, __VA_ARGS__>(l, ir::OpId::id);
#define LOOP2(id, definition, ...) binary<definition, __VA_ARGS__>(l, ir::OpId::id);
#define LIBRARY1 LOOP1
#define LIBRARY2 LOOP2
