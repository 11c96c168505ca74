# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=<cpp> -DFILES=<a.json|b.json> -P write_tables.cmake
string(REPLACE "|" ";" files "${FILES}")
file(WRITE "${OUT}.new" "// Written by cmake/embed/write_tables.cmake from datasets/tables and datasets/evidence.\n"
  "#include \"datasets/embedded_tables.h\"\n\nnamespace spinetherm {\n\n"
  "const std::vector<EmbeddedTable>& embedded_tables() {\n  static const std::vector<EmbeddedTable> tables = {\n")
foreach(path IN LISTS files)
  get_filename_component(name "${path}" NAME)
  file(READ "${path}" text)
  file(APPEND "${OUT}.new" "{\"${name}\", R\"json(")
  file(APPEND "${OUT}.new" "${text}")
  file(APPEND "${OUT}.new" ")json\"},\n")
endforeach()
file(APPEND "${OUT}.new" "};\n  return tables;\n}\n\n}  // namespace spinetherm\n")
file(RENAME "${OUT}.new" "${OUT}")
