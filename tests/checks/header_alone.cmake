# continuo_headers_alone(<name> <folder> <libraries...>): an object library that includes each header under <folder> alone,
# twice, so that a header that leans on its includer, or has no guard, does not compile.
function(continuo_headers_alone name folder)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/${folder}/*.hpp)
  list(FILTER headers EXCLUDE REGEX "\\.inc\\.hpp$")  # parts of one source
  set(sources "")
  foreach(header IN LISTS headers)
    string(MAKE_C_IDENTIFIER ${header} stem)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/alone/${stem}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"@header@\"\n#include \"@header@\"\n" @ONLY)
    list(APPEND sources ${source})
  endforeach()
  if(sources)
    add_library(alone_${name} OBJECT ${sources})
    target_link_libraries(alone_${name} PRIVATE ${ARGN})
    target_compile_options(alone_${name} PRIVATE -O0)
  endif()
endfunction()
