# cmake -D OUTPUT=file.cpp -D HEADER=a/b.hpp -D NAMES=a;b -D FILES=/x/a;/y/b -P embed_files.cmake
# Writes the source that defines contract_files(): each file, byte by byte, under its name.
set(rows "")
set(text "// Generated.\n#include \"${HEADER}\"\n\nnamespace continuo::cli {\nnamespace {\n")
set(index 0)
foreach(name file IN ZIP_LISTS NAMES FILES)
  file(SIZE ${file} size)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" bytes "${bytes}")
  string(REPEAT "...." 32 line)
  string(REGEX REPLACE "(${line})" "\\1\"\n\"" bytes "${bytes}")
  string(APPEND text "constexpr char kFile${index}[] =\n\"${bytes}\";\nstatic_assert(sizeof(kFile${index}) == ${size} + 1);\n")
  string(APPEND rows "    {\"${name}\", {kFile${index}, ${size}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text "constexpr ContractFile kFiles[] = {\n${rows}};\n}  // namespace\n\n"
       "std::span<const ContractFile> contract_files() { return kFiles; }\n\n}  // namespace continuo::cli\n")
file(WRITE ${OUTPUT} "${text}")
