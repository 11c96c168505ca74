# SPDX-License-Identifier: Apache-2.0
# Tables are compiled into the library, so that an installed program needs no data directory.

set(SPINETHERM_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/write_tables.cmake)

# spinetherm_embed_tables(<variable> <files...>): puts the path of a generated source, which defines
# embedded_tables(), into <variable>. It is written again whenever one of the files changes.
function(spinetherm_embed_tables variable)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/table_texts.cpp)
  list(JOIN ARGN "|" joined)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DOUT=${generated} "-DFILES=${joined}" -P ${SPINETHERM_EMBED_SCRIPT}
    DEPENDS ${ARGN} ${SPINETHERM_EMBED_SCRIPT}
    COMMENT "Embedding tables"
    VERBATIM)
  set(${variable} ${generated} PARENT_SCOPE)
endfunction()
