#include "clients/cli/sibling.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "clients/cli/failure.hpp"
#include "clients/cli/interrupt.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace fs = std::filesystem;

std::string find_sibling(const std::string& name) {
  const auto runs = [](const fs::path& file) {
    std::error_code error;
    return fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0;
  };
  std::error_code error;
  const fs::path ours = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (!error && runs(ours / name)) return ours / name;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && runs(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  return "";
}

void run_sibling(const std::string& name, const std::vector<std::string>& arguments) {
  const std::string program = find_sibling(name);
  if (program.empty()) {
    throw Failure(kNoServer, "NOT_INSTALLED", name,
                  "the program " + name + " is neither beside this one nor on the PATH; install it");
  }
  std::vector<char*> argv;
  std::string first = name;
  argv.push_back(first.data());
  std::vector<std::string> copies = arguments;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  flush_output();
  Interrupt::restore_signals();
  ::execv(program.c_str(), argv.data());
  throw Failure(kNoServer, "NOT_RUNNABLE", program, "cannot run " + program + ": " + std::strerror(errno));
}

}  // namespace continuo::cli
