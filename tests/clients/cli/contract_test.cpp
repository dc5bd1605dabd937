// The contract that the program carries: exported whole or not at all, and listed with its roles.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "clients/cli/contract_export.hpp"
#include "clients/cli/contract_list.hpp"
#include "clients/cli/failure.hpp"

using namespace continuo::cli;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "continuo-contract.XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::recursive_directory_iterator(folder), {}));
}

int exit_code_of_export(const fs::path& folder, std::span<const ContractFile> files) {
  try {
    export_contract(folder, files);
    return kOk;
  } catch (const Failure& failure) {
    return failure.exit_code;
  }
}

constexpr ContractFile kThree[] = {{"a/b/one.proto", "1"}, {"a/two.proto", "22"}, {"all.set", "333"}};

}  // namespace

TEST_CASE("contract: an export makes its folders, and a second one finds all done") {
  Folder here;
  const fs::path folder = here.path / "new" / "api/";
  CHECK(exit_code_of_export(folder, kThree) == kOk);
  CHECK(content(folder / "a/b/one.proto") == "1");
  CHECK(content(folder / "a/two.proto") == "22");
  CHECK(content(folder / "all.set") == "333");
  const auto before = fs::last_write_time(folder / "all.set");
  fs::remove(folder / "a/two.proto");
  CHECK(exit_code_of_export(folder, kThree) == kOk);
  CHECK(content(folder / "a/two.proto") == "22");
  CHECK(fs::last_write_time(folder / "all.set") == before);
  CHECK(entries(folder) == 5);
}

TEST_CASE("contract: other content under one of the names, and nothing is written") {
  Folder here;
  fs::create_directories(here.path / "a");
  std::ofstream(here.path / "mine.txt") << "mine";
  SUBCASE("another text of the same length") { std::ofstream(here.path / "all.set") << "33x"; }
  SUBCASE("a longer one") { std::ofstream(here.path / "all.set") << "3333"; }
  SUBCASE("an empty one") { std::ofstream(here.path / "all.set") << ""; }
  SUBCASE("a folder") { fs::create_directory(here.path / "all.set"); }
  SUBCASE("a FIFO, which is not opened") { REQUIRE(::mkfifo((here.path / "all.set").c_str(), 0600) == 0); }
  SUBCASE("a link that leads nowhere") { fs::create_symlink("nowhere", here.path / "all.set"); }
  SUBCASE("a file in the place of a folder") { std::ofstream(here.path / "a/b") << "x"; }
  const std::size_t before = entries(here.path);
  CHECK(exit_code_of_export(here.path, kThree) == kCannotCreate);
  CHECK(entries(here.path) == before);
  CHECK(content(here.path / "mine.txt") == "mine");
}

TEST_CASE("contract: a folder that cannot be made leaves nothing behind") {
  Folder here;
  std::ofstream(here.path / "file") << "x";
  CHECK(exit_code_of_export(here.path / "file", kThree) == kCannotCreate);
  CHECK(exit_code_of_export(here.path / "file" / "below", kThree) == kCannotCreate);
  // The last name is longer than a file system takes: what the export had made by then is gone again.
  const std::string name(300, 'x');
  const ContractFile long_one[] = {{"a/one.proto", "1"}, {name, "2"}};
  CHECK(exit_code_of_export(here.path / "deep" / "deeper", long_one) == kCannotCreate);
  CHECK(entries(here.path) == 1);
}

TEST_CASE("contract: the program carries every file, the set last, and the set is whole") {
  const auto files = contract_files();
  REQUIRE(files.size() > 5);
  CHECK(files.back().name == kDescriptorSet);
  for (const ContractFile& file : files) {
    CAPTURE(file.name);
    CHECK(!file.content.empty());
    CHECK(file.name.find("..") == std::string_view::npos);
    CHECK(file.name.front() != '/');
  }
  const ContractList list = list_contract(files.back().content);
  bool apply = false;
  for (const ContractMethod& method : list.methods) {
    CAPTURE(method.method);
    CHECK(method.role.starts_with("ROLE_"));
    if (method.service != "continuo.v1.SessionService" || method.method != "Apply") continue;
    apply = true;
    CHECK(method.role == "ROLE_OPERATOR");
    CHECK(method.request == "continuo.v1.ApplyRequest");
    CHECK(!method.client_streaming);
    CHECK(!method.server_streaming);
  }
  CHECK(apply);
  bool add_node = false;
  for (const ContractOperation& operation : list.operations) {
    CAPTURE(operation.name);
    CHECK(operation.role.starts_with("ROLE_"));
    if (operation.name == "add_node") add_node = operation.role == "ROLE_ENGINEER";
  }
  CHECK(add_node);
}

TEST_CASE("contract: a set that is cut off, empty or no set is a fault of ours") {
  const std::string_view set = contract_files().back().content;
  for (const std::string_view broken :
       {std::string_view{}, set.substr(0, set.size() / 2), std::string_view("nonsense")}) {
    CHECK_THROWS_AS(static_cast<void>(list_contract(broken)), Failure);
  }
}
