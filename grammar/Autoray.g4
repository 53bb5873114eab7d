// The language: a strict subset of Python. Operators are one left-recursive rule, so that an atom costs one rule call and a long
// chain of operators is a loop, not a recursion; alternatives are factored so that one token of lookahead decides nearly
// everywhere. INDENT, DEDENT and NEWLINE come from src/frontend/token_source.cpp, which also limits nesting before the parser
// can recurse and refuses class, async, await and yield by name. No function name is a token.
grammar Autoray;

tokens { INDENT, DEDENT, NEWLINE }

module : (NEWLINE | statement)* EOF ;

// The inside of the braces of an f-string.
formatExpression : starExpressions EOF ;

statement
  : compound                                          # compoundStatement
  | simple (SEMICOLON simple)* SEMICOLON? NEWLINE     # simpleStatements
  ;

simple
  : starExpressions ( augmented starExpressions
                    | COLON expression (ASSIGN starExpressions)?
                    | (ASSIGN starExpressions)*)                          # expressionOrAssignment
  | PASS                                                                  # pass
  | BREAK                                                                 # break
  | CONTINUE                                                              # continue
  | RETURN starExpressions?                                               # return
  | RAISE (expression (FROM expression)?)?                                # raise
  | ASSERT expression (COMMA expression)?                                 # assert
  | DEL targetList                                                        # del
  | GLOBAL NAME (COMMA NAME)*                                             # global
  | NONLOCAL NAME (COMMA NAME)*                                           # nonlocal
  | IMPORT importName (COMMA importName)*                                 # importModules
  | FROM (DOT | ELLIPSIS)* dottedName? IMPORT (STAR | importAs (COMMA importAs)*
        | LPAREN importAs (COMMA importAs)* COMMA? RPAREN)                # importFrom
  ;

importName : dottedName (AS NAME)? ;
importAs   : NAME (AS NAME)? ;
dottedName : NAME (DOT NAME)* ;

augmented
  : PLUS_ASSIGN | MINUS_ASSIGN | STAR_ASSIGN | AT_ASSIGN | SLASH_ASSIGN | PERCENT_ASSIGN | AMPERSAND_ASSIGN | PIPE_ASSIGN
  | CARET_ASSIGN | SHIFT_LEFT_ASSIGN | SHIFT_RIGHT_ASSIGN | POWER_ASSIGN | FLOOR_ASSIGN
  ;

compound
  : IF namedExpression COLON block elif* elseBlock?                                 # if
  | WHILE namedExpression COLON block elseBlock?                                    # while
  | FOR targetList IN starExpressions COLON block elseBlock?                        # for
  | TRY COLON block (exceptClause+ elseBlock? finallyBlock? | finallyBlock)         # try
  | WITH (withItem (COMMA withItem)* | LPAREN withItem (COMMA withItem)* COMMA? RPAREN) COLON block  # with
  | decorator* DEF NAME LPAREN parameters? RPAREN (ARROW expression)? COLON block   # functionDef
  ;

elif         : ELIF namedExpression COLON block ;
elseBlock    : ELSE COLON block ;
finallyBlock : FINALLY COLON block ;
decorator    : AT namedExpression NEWLINE ;
exceptClause : EXCEPT (expression (AS NAME)?)? COLON block ;
withItem     : expression (AS target)? ;
block        : simple (SEMICOLON simple)* SEMICOLON? NEWLINE    # inlineBlock
             | NEWLINE INDENT statement+ DEDENT                 # indentedBlock
             ;

parameters : parameter (COMMA parameter)* COMMA? ;
parameter
  : NAME (COLON expression)? (ASSIGN expression)?    # plainParameter
  | STAR NAME (COLON expression)?                    # variadicParameter
  | STAR                                             # keywordOnlyMarker
  | POWER NAME (COLON expression)?                   # keywordsParameter
  | SLASH                                            # positionalOnlyMarker
  ;
lambdaParameters : lambdaParameter (COMMA lambdaParameter)* COMMA? ;
lambdaParameter
  : NAME (ASSIGN expression)?    # plainLambdaParameter
  | STAR NAME                    # variadicLambdaParameter
  | STAR                         # keywordOnlyLambdaMarker
  | POWER NAME                   # keywordsLambdaParameter
  | SLASH                        # positionalOnlyLambdaMarker
  ;

starExpressions : starExpression (COMMA starExpression)* COMMA? ;
starExpression  : STAR disjunction    # starred
                | expression          # unstarred
                ;
// Targets of for, with and del: an `in` never belongs to them.
targetList : target (COMMA target)* COMMA? ;
target
  : target DOT NAME                      # attributeTarget
  | target LBRACKET subscripts RBRACKET  # subscriptTarget
  | target LPAREN arguments? RPAREN      # callTarget
  | NAME                                 # nameTarget
  | LPAREN targetList? RPAREN            # groupTarget
  | LBRACKET targetList? RBRACKET        # listTarget
  | STAR target                          # starTarget
  ;

namedExpression : NAME WALRUS expression    # walrus
                | expression                # unnamed
                ;

expression
  : disjunction (IF disjunction ELSE expression)?    # conditional
  | LAMBDA lambdaParameters? COLON expression        # lambda
  ;

disjunction
  : disjunction DOT NAME                                                         # attribute
  | disjunction LPAREN arguments? RPAREN                                         # call
  | disjunction LBRACKET subscripts RBRACKET                                     # subscript
  | atom                                                                         # atomic
  | <assoc=right> disjunction POWER disjunction                                  # power
  | (PLUS | MINUS | TILDE) disjunction                                           # unary
  | disjunction (STAR | AT | SLASH | PERCENT | FLOOR) disjunction                # multiplicative
  | disjunction (PLUS | MINUS) disjunction                                       # additive
  | disjunction (SHIFT_LEFT | SHIFT_RIGHT) disjunction                           # shift
  | disjunction AMPERSAND disjunction                                            # bitAnd
  | disjunction CARET disjunction                                                # bitXor
  | disjunction PIPE disjunction                                                 # bitOr
  | disjunction comparison disjunction                                           # compare
  | NOT disjunction                                                              # notExpression
  | disjunction AND disjunction                                                  # andExpression
  | disjunction OR disjunction                                                   # orExpression
  ;

comparison : LESS | GREATER | EQUAL | GREATER_EQUAL | LESS_EQUAL | NOT_EQUAL | IN | NOT IN | IS NOT? ;

atom
  : NAME                                                                        # name
  | INTEGER                                                                     # integer
  | REAL                                                                        # real
  | IMAGINARY                                                                   # imaginary
  | STRING+                                                                     # strings
  | NONE                                                                        # none
  | TRUE                                                                        # true
  | FALSE                                                                       # false
  | ELLIPSIS                                                                    # ellipsis
  | LPAREN (item (comprehension+ | (COMMA item)* COMMA?))? RPAREN               # parentheses
  | LBRACKET (item (comprehension+ | (COMMA item)* COMMA?))? RBRACKET           # brackets
  | LBRACE (braceItem (comprehension+ | (COMMA braceItem)* COMMA?))? RBRACE     # braces
  ;

item      : STAR disjunction                         # starredItem
          | namedExpression                          # plainItem
          ;
braceItem : POWER disjunction                        # mergedItem
          | STAR disjunction                         # starredBraceItem
          | namedExpression (COLON expression)?      # keyItem
          ;
comprehension : FOR targetList IN disjunction (IF disjunction)* ;

arguments : argument (COMMA argument)* COMMA? ;
argument
  : NAME ASSIGN expression             # keywordArgument
  | STAR expression                    # iterableArgument
  | POWER expression                   # mappingArgument
  | namedExpression comprehension*     # positionalArgument
  ;

subscripts : subscriptItem (COMMA subscriptItem)* COMMA? ;
subscriptItem
  : namedExpression sliceRest?    # index
  | sliceRest                     # slice
  | STAR disjunction              # starredIndex
  ;
sliceRest : COLON stop=expression? (COLON step=expression?)? ;

// ---- tokens ----
AND : 'and' ; AS : 'as' ; ASSERT : 'assert' ; ASYNC : 'async' ; AWAIT : 'await' ; BREAK : 'break' ; CLASS : 'class' ;
CONTINUE : 'continue' ; DEF : 'def' ; DEL : 'del' ; ELIF : 'elif' ; ELSE : 'else' ; EXCEPT : 'except' ; FALSE : 'False' ;
FINALLY : 'finally' ; FOR : 'for' ; FROM : 'from' ; GLOBAL : 'global' ; IF : 'if' ; IMPORT : 'import' ; IN : 'in' ; IS : 'is' ;
LAMBDA : 'lambda' ; NONE : 'None' ; NONLOCAL : 'nonlocal' ; NOT : 'not' ; OR : 'or' ; PASS : 'pass' ; RAISE : 'raise' ;
RETURN : 'return' ; TRUE : 'True' ; TRY : 'try' ; WHILE : 'while' ; WITH : 'with' ; YIELD : 'yield' ;

LPAREN : '(' ; RPAREN : ')' ; LBRACKET : '[' ; RBRACKET : ']' ; LBRACE : '{' ; RBRACE : '}' ;
COMMA : ',' ; COLON : ':' ; SEMICOLON : ';' ; DOT : '.' ; ELLIPSIS : '...' ; ARROW : '->' ; WALRUS : ':=' ;
PLUS : '+' ; MINUS : '-' ; STAR : '*' ; SLASH : '/' ; FLOOR : '//' ; PERCENT : '%' ; AT : '@' ; POWER : '**' ;
AMPERSAND : '&' ; PIPE : '|' ; CARET : '^' ; TILDE : '~' ; SHIFT_LEFT : '<<' ; SHIFT_RIGHT : '>>' ;
LESS : '<' ; GREATER : '>' ; LESS_EQUAL : '<=' ; GREATER_EQUAL : '>=' ; EQUAL : '==' ; NOT_EQUAL : '!=' ;
ASSIGN : '=' ; PLUS_ASSIGN : '+=' ; MINUS_ASSIGN : '-=' ; STAR_ASSIGN : '*=' ; SLASH_ASSIGN : '/=' ; FLOOR_ASSIGN : '//=' ;
PERCENT_ASSIGN : '%=' ; AT_ASSIGN : '@=' ; AMPERSAND_ASSIGN : '&=' ; PIPE_ASSIGN : '|=' ; CARET_ASSIGN : '^=' ;
SHIFT_LEFT_ASSIGN : '<<=' ; SHIFT_RIGHT_ASSIGN : '>>=' ; POWER_ASSIGN : '**=' ;

INTEGER   : [1-9] ('_'? [0-9])* | '0' ('_'? '0')* | '0' [xX] ('_'? [0-9a-fA-F])+ | '0' [oO] ('_'? [0-7])+ | '0' [bB] ('_'? [01])+ ;
REAL      : Digits '.' Digits? Exponent? | '.' Digits Exponent? | Digits Exponent ;
IMAGINARY : (Digits | Digits '.' Digits? Exponent? | '.' Digits Exponent? | Digits Exponent) [jJ] ;
NAME      : [a-zA-Z_\u0080-\u{10FFFF}] [a-zA-Z0-9_\u0080-\u{10FFFF}]* ;
STRING    : Prefix? ( '\'\'\'' ('\\' . | ~['\\] | '\'' ~'\'' | '\'\'' ~'\'')*? '\'\'\''
                    | '"""' ('\\' . | ~["\\] | '"' ~'"' | '""' ~'"')*? '"""'
                    | '\'' ('\\' ('\r\n' | .) | ~['\\\r\n])* '\''
                    | '"' ('\\' ('\r\n' | .) | ~["\\\r\n])* '"' ) ;

LINE_BREAK : '\r\n' | '\n' | '\r' ;
JOIN       : '\\' ('\r\n' | '\n' | '\r') -> skip ;
BLANKS     : [ \t\f]+ -> skip ;
COMMENT    : '#' ~[\r\n]* -> skip ;
ANY        : . ;

fragment Digits   : [0-9] ('_'? [0-9])* ;
fragment Exponent : [eE] [+-]? Digits ;
fragment Prefix   : [rR] | [fF] | [bB] | [uU] | [rR] [fF] | [fF] [rR] | [rR] [bB] | [bB] [rR] ;
